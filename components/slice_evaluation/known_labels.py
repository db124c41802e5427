"""Which labels of the spans that test are known, and on which spans each task is judged."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import tensorflow_model_analysis as tfma
from tfx import types

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.components.log_example_gen.spans.span_marks import many_words
from mtlx.transform.contract.counted_labels import LabelsLeftOut, unknown_labels
from mtlx.transform.contract.data_contract import DataContract

#: Key of the extracts of rows that lack labels of tasks.
UNKNOWN_TASKS_KEY = "unknown_tasks"


@dataclass(frozen=True)
class KnownLabels:
    """What is known of the spans that test when the newest of them is the newest of all.

    Attributes:
        left_out: by span the tasks whose labels are not known yet.
        notices: a sentence for each task that is not judged on all spans.
    """

    left_out: LabelsLeftOut = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, examples: list[types.Artifact], contract: DataContract) -> "KnownLabels":
        """Of the examples that test; nothing is left out where labels are known at once."""
        spans = [span for one in examples if (span := span_of(one)) is not None]
        if not contract.has_late_labels or not spans:
            return cls()
        left_out = unknown_labels(contract, spans, max(spans))
        return cls(left_out, tuple(_notices(left_out, spans, contract, _are_dates(examples))))

    def grouped(
        self, files: Iterable[tuple[types.Artifact, list[str]]]
    ) -> dict[tuple[str, ...], list[str]]:
        """Files by the tasks whose labels are not known in them.

        Args:
            files: of each span's examples.
        """
        groups: dict[tuple[str, ...], list[str]] = {}
        for artifact, own in files:
            tasks = tuple(self.left_out.get(span_of(artifact) or 0, ()))
            groups.setdefault(tasks, []).extend(own)
        return groups


def with_unknown(extracts: tfma.types.Extracts, unknown: tuple[str, ...]) -> tfma.types.Extracts:
    """Notes beside a batch of rows the tasks whose labels are not known in it."""
    return {**extracts, UNKNOWN_TASKS_KEY: unknown}


def _notices(
    left_out: LabelsLeftOut, spans: list[int], contract: DataContract, dates: bool
) -> Iterable[str]:
    for task, after in contract.matures_after.items():
        newer = [span for span in spans if task in left_out.get(span, {})]
        known = sorted(set(spans) - set(newer))
        if not newer:
            continue
        many = f"{len(newer):,} newer span{'s are' if len(newer) > 1 else ' is'}"
        if known:
            words = f"span{'s' if len(known) > 1 else ''} {many_words(known, dates)}"
            yield f"{task}: judged on {words}; {many} not mature"
        else:
            yield (
                f"{task}: not judged, since none of the spans that test is mature: its labels are "
                f"known {after:,} span{'s' if after > 1 else ''} later. To judge it, set "
                f"data.window.test to {after + 1} or more"
            )


def _are_dates(examples: list[types.Artifact]) -> bool:
    """Whether people name the spans by their dates."""
    summary = read_ingestion_summary(examples[0].uri)
    return bool(summary and (summary.get("provenance") or {}).get("span_is_date"))
