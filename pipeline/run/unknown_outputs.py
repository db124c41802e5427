"""Outputs that the metadata store knows nothing of: a store that was emptied, or an old copy."""

import os

import ml_metadata as mlmd
from tfx.dsl.io import fileio
from tfx.proto.orchestration import pipeline_pb2


class OutputsUnknown(RuntimeError):
    """The next execution would write into the folder of one that the store has forgotten."""


def check_outputs_known(
    node: pipeline_pb2.PipelineNode, pipeline_root: str, store: mlmd.MetadataStore
) -> None:
    """Holds the folders of a node's outputs, which are named by executions, against the store.

    TFX names an execution's folders by its number in the store. A store that lost its content
    counts from one again, into folders that are full.

    Args:
        node: of the compiled pipeline.
        pipeline_root: path or URI of the artifacts.
        store: ML-Metadata.

    Raises:
        OutputsUnknown: a folder has a number that the store has not given yet; with the remedy.
    """
    node_id = node.node_info.id
    written = [
        int(name.rstrip("/"))
        for output in node.outputs.outputs
        for name in _names(os.path.join(pipeline_root, node_id, output))
        if name.rstrip("/").isdecimal()
    ]
    if not written:
        return
    # Asked after the folders were listed: other runs may have added some.
    latest = store.get_executions(
        mlmd.ListOptions(limit=1, order_by=mlmd.OrderByField.ID, is_asc=False)
    )
    known = latest[0].id if latest else 0
    if max(written) > known:
        place = os.path.join(pipeline_root, node_id)
        raise OutputsUnknown(
            f"{place} holds outputs of execution {max(written)}, but the metadata store knows "
            f"executions up to {known} only: it was emptied, replaced or set back. Put the store "
            f"back, or move {pipeline_root} away (models that were pushed stay; the next run "
            "begins anew)"
        )


def _names(folder: str) -> list[str]:
    return fileio.listdir(folder) if fileio.isdir(folder) else []
