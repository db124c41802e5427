"""The files of the rows that are evaluated, by the tasks whose labels are not known in them."""

from tfx import types
from tfx.types import artifact_utils

from mtlx.components.example_batches import split_files
from mtlx.components.log_example_gen.spans.span_artifact import by_span
from mtlx.components.slice_evaluation.known_labels import KnownLabels
from mtlx.transform.contract.data_contract import DataContract


def evaluated_files(
    examples: list[types.Artifact], contract: DataContract, split: str, whole: bool
) -> dict[tuple[str, ...], list[str]]:
    """Files of the same rows that `SliceEvaluation` evaluates.

    Args:
        examples: raw examples; of a window one artifact per span.
        contract: the data contract.
        split: that is evaluated.
        whole: all splits of the examples are.
    """
    if not whole:
        return {(): split_files(artifact_utils.get_split_uris(examples, split), split)}
    known = KnownLabels.of(examples, contract)
    return known.grouped((one, _all_files(one)) for one in by_span(examples))


def _all_files(examples: types.Artifact) -> list[str]:
    names = artifact_utils.decode_split_names(examples.split_names)
    uris = [artifact_utils.get_split_uri([examples], name) for name in names]
    return split_files(uris, "of the spans that test")
