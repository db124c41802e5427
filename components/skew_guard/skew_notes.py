"""What a person is told of serving logs besides what differs: sentences without their full stop."""

from collections.abc import Sequence

from mtlx.components.skew_guard.served_rows import ServedCounts
from mtlx.transform.contract.data_contract import DataContract

NOT_COUNTED = (
    "Serving skew was not measured: the statistics of the logs hold no counts of values, since an "
    "earlier version wrote them; they will from the next span on"
)


def malformed_words(counts: ServedCounts, limit: float) -> str:
    """Malformed rows where they are too many; empty up to `limit`, a share of the rows."""
    malformed = counts.malformed.total()
    total = malformed + counts.rows
    if malformed / max(total, 1) <= limit:
        return ""
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in counts.malformed.most_common())
    return (
        f"{malformed:,} of {total:,} served rows are malformed, {limit:.2%} may be "
        f"(data.max_malformed_share): {reasons}, such as {counts.quoted[0]}"
    )


def no_rows(files: Sequence[str], counts: ServedCounts) -> str:
    """Where no row of the files can be read."""
    what = "no row that can be read" if counts.malformed else "no rows"
    return f"Serving skew was not measured: {', '.join(files[:2])}: {what}"


def no_version(base: str) -> str:
    """Where no version of the folder `base` can have made the scores."""
    return (
        f"Serving skew: scores were not compared: {base} holds no version that was pushed before "
        "the serving logs were written"
    )


def column_notes(contract: DataContract, lacking: Sequence[str]) -> list[str]:
    """Features that are not compared; those that nothing is made of need no word."""
    named = [contract.column(name) for name in lacking if contract.is_asked_for(name)]
    if not named:
        return []
    return [f"Serving skew: the serving logs lack {', '.join(named)}, which was not compared"]


def join_notes(key: str, drawn: int, found: int) -> list[str]:
    """How many rows were found by their key, unless all were."""
    if found == drawn:
        return []
    return [
        f"Serving skew: {found:,} of {drawn:,} drawn rows have their {key} in the logs, each once"
    ]
