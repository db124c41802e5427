"""Whether a candidate was tested on older rows than the version that serves."""

from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage
from mtlx.components.model_pusher.serving_folder.versions import Version
from mtlx.components.relaimp_gate.lineage import earlier, instant


def older_span(candidate: PushLineage, served: Version | None) -> str | None:
    """A sentence without its end where the candidate is of an older span than what serves.

    Args:
        candidate: what it was tested on.
        served: the newest version; None before the first push.

    Returns:
        None where it is not older, or where that cannot be known: one of them has no span (nor a
        split by the same time), or another program pushed the version.
    """
    if served is None or served.record is None or served.record.lineage is None:
        return None
    lineage = served.record.lineage
    if candidate.tested_on and lineage.tested_on:
        now, then = candidate.tested_on[-1], lineage.tested_on[-1]
        if now.number >= then.number:
            return None
        return (
            f"the candidate was tested on the span {now}, older than the span {then} on which "
            f"version {served.number}, which serves, was tested"
        )
    if candidate.tested_until and lineage.tested_until:
        (column, time), (other, latest) = candidate.tested_until, lineage.tested_until
        if column == other and earlier(instant(time), instant(latest)):
            return (
                f"the candidate was tested on rows up to {time}, older than those of version "
                f"{served.number}, which serves, up to {latest} ({column})"
            )
    return None
