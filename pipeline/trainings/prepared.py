"""What several models share: logs that are read, described and transformed once."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.types import artifact_utils
from tfx.utils import json_utils

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph import graph
from mtlx.pipeline.graph.resolvers.span_window import SPAN_WINDOW
from mtlx.pipeline.run import node_run
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER, METADATA_FILE
from mtlx.pipeline.run.run_result import RunFailed
from mtlx.pipeline.run.window_run import see_to_window
from mtlx.pipeline.trainings.task import Prepared

#: The last node that all models share.
_LAST = "Transform"


def standing_alone(folder: Path) -> tuple[str, ...]:
    """Settings, as for ``--set``, of an experiment of which nothing but models is wanted.

    Args:
        folder: in which everything is kept.
    """
    return (
        f"run.pipeline_root={json.dumps(str(folder / 'root'))}",
        "run.cache=true",
        *("training.warm_start=null", "transform.reuse=null", "data.serving_path=null"),
        *("serving.push_to=null", "report.insight=[]"),
    )


def prepare(experiment: Experiment, on_progress: Callable[[str], None]) -> Prepared:
    """Runs the pipeline's nodes up to Transform; the cache has what was done before.

    Args:
        experiment: with `standing_alone`.
        on_progress: is given the name of each node.

    Raises:
        RunFailed: a node failed, such as a guard that found something in the logs.
    """
    experiment = experiment.anchored()
    root = pipeline_root(experiment)
    connection = metadata.sqlite_metadata_connection_config(str(root / METADATA_FILE))
    pipeline = compiler.Compiler().compile(
        graph.create_pipeline(
            experiment,
            str(root / ARTIFACTS_FOLDER),
            connection,
            runtime_parameters=experiment.data.window is not None,
        )
    )
    run_id = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    outputs: dict[str, dict[str, list[str]]] = {}
    node = "before the first node"
    try:
        span = experiment.data.span
        seen = see_to_window(pipeline, run_id, span=span)
        node_run.bind_parameters(pipeline, run_id, span=seen.plan.newest_words if seen else None)
        for node in node_run.node_ids(pipeline):
            on_progress(node)
            outputs[node] = node_run.run_node(pipeline, node).outputs
            if node == _LAST:
                break
    except Exception as error:
        raise RunFailed(f"{node}: {error or type(error).__name__}", None, node) from error
    if SPAN_WINDOW in outputs:
        tested = outputs[SPAN_WINDOW]["test_examples"]
    else:
        tested = outputs["LogExampleGen"]["examples"]
    with metadata.Metadata(connection) as handle:
        found = [one for uri in tested for one in handle.store.get_artifacts_by_uri(uri)]
        kinds = handle.store.get_artifact_types_by_id([one.type_id for one in found])
    artifacts = [
        artifact_utils.deserialize_artifact(kind, one)
        for kind, one in zip(kinds, found, strict=True)
    ]
    (transform_graph,) = outputs[_LAST]["transform_graph"]
    transformed = tuple(outputs[_LAST]["transformed_examples"])
    whole = experiment.data.window is not None
    return Prepared(transform_graph, transformed, json_utils.dumps(artifacts), whole)
