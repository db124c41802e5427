"""What of the past is needed: by a cached rerun of a kept run, and by the next run.

- Of the newest runs, and of those under way: every artifact that went into one of their nodes or
  came out of it, so that a rerun is served from the cache as before.
- Of the models that the next run may be compared with (the one blessed last, those in the gate's
  anchor window) and of the one that serves: the model, its blessings, what it was trained with but
  for transformed examples (a warm start reads transform graph and schema).
- Of every other version that is still in the serving folder: the model, which is what the next run
  is compared with after a roll back, and its blessings.
- Of the raw examples that any of these models, and the models that they went on from, were trained
  and tested on: the summary of the ingestion, which tells the gate what a model has seen. Nobody
  reads their rows.
- Of the spans in the window of the next run: examples and statistics.
"""

import dataclasses
from collections.abc import Iterable

from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils

from mtlx.components.lineage.model_lineage import EVALUATORS
from mtlx.components.model_pusher.serving_folder.versions import Version
from mtlx.components.relaimp_gate.settings import AnchorWindow
from mtlx.pipeline.cleaning.history import History, PastRun
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models

_EXAMPLES, _STATISTICS, _MODEL = "Examples", "ExampleStatistics", "Model"


@dataclasses.dataclass(frozen=True)
class Needed:
    """What stays.

    Attributes:
        runs: the kept ones, the oldest first.
        artifacts: ids.
        summaries: ids of further examples, which lose their rows and keep the summary of the
            ingestion.
        executions: of the kept runs.
    """

    runs: list[PastRun]
    artifacts: set[int]
    summaries: set[int]
    executions: set[int]


def needed(
    history: History,
    experiment: Experiment,
    versions: Iterable[Version],
    keep: int,
    since: int | None,
) -> Needed:
    """Decides what stays.

    Args:
        history: of the pipeline.
        experiment: whose gate, window and name count.
        versions: that stay in the serving folder.
        keep: so many runs are kept, the newest.
        since: runs at which something was done since then (milliseconds since 1970) are kept as
            well, where no lock tells whether one is under way; None where one does.
    """
    kept = history.runs[-keep:]
    if since is not None:
        kept = [run for run in history.runs if run in kept or history.under_way(run, since)]
    executions = set().union(*(run.executions for run in kept))
    found = history.touched(executions)
    models = _opponents(history, experiment)
    pushed = set()
    for version in versions:
        model = _model_of(history, version)
        if model is not None:
            pushed.add(model)
            found |= {model} | _blessings(history, model)
            models |= {model} if version.serves else set()
    for model in models:
        found |= _with_origin(history, model)
    # After a roll back any of them may be what a candidate is compared with.
    summaries = set().union(*(_raw_examples(history, model) for model in models | pushed))
    found |= _window(history, _window_length(experiment))
    return Needed(kept, found, summaries - found, executions)


def _opponents(history: History, experiment: Experiment) -> set[int]:
    """Models that a run may be compared with, as the resolvers of the graph choose them."""
    anchor = experiment.gate.anchor
    # A rerun of the latest run leaves its own model out: one more than the window has.
    last = anchor.last + 1 if isinstance(anchor, AnchorWindow) else 2
    found = {
        name: [_as_artifact(history, proto) for proto in history.of_kind(kind)]
        for name, kind in (
            ("model", "Model"),
            ("model_blessing", "ModelBlessing"),
            ("infra_blessing", "InfraBlessing"),
        )
    }
    return {blessed.model.id for blessed in blessed_models(found)[-last:]}


def _as_artifact(history: History, proto: metadata_store_pb2.Artifact) -> object:
    kind = metadata_store_pb2.ArtifactType(id=proto.type_id, name=history.kinds[proto.id])
    return artifact_utils.deserialize_artifact(kind, proto)


def _model_of(history: History, version: Version) -> int | None:
    """The artifact that a version was copied from."""
    if version.record is None:
        return None
    path = version.record.model.rstrip("/")
    for model in history.of_kind("Model"):
        folder = model.uri.rstrip("/")
        if path == folder or path.startswith(f"{folder}/"):
            return model.id
    return None


def _blessings(history: History, model: int) -> set[int]:
    """Of the gate and of the serving check, without which it would be no baseline any more."""
    return {
        blessing.id
        for kind in ("ModelBlessing", "InfraBlessing")
        for blessing in history.of_kind(kind)
        if blessing.custom_properties["current_model_id"].int_value == model
    }


def _with_origin(history: History, model: int) -> set[int]:
    """A model, its blessings, and what it was trained with but for examples."""
    made_with = {
        number for number in history.inputs_of(model) if history.kinds[number] != _EXAMPLES
    }
    return {model} | _blessings(history, model) | made_with


def _raw_examples(history: History, model: int) -> set[int]:
    """Examples that a model, and those that it went on from, were trained or evaluated on, as far
    as nothing else went into them.
    """
    found: set[int] = set()
    seen: set[int] = set()
    waiting = {model, *_evaluated_on(history, model)}
    while waiting:
        seen |= waiting
        behind = {number: _of_kinds(history, history.inputs_of(number)) for number in waiting}
        found |= {n for n, before in behind.items() if not before and _is_examples(history, n)}
        waiting = set().union(*behind.values()) - seen
    return found


def _evaluated_on(history: History, model: int) -> set[int]:
    """Examples that went into the evaluations of a model."""
    return {
        number
        for execution, read in history.inputs.items()
        if model in read and history.executions[execution].type.rpartition(".")[2] in EVALUATORS
        for number in read
        if _is_examples(history, number)
    }


def _of_kinds(history: History, artifacts: set[int]) -> set[int]:
    """Examples and models: a schema goes on from the one before it, and has seen no rows."""
    return {number for number in artifacts if history.kinds.get(number) in (_EXAMPLES, _MODEL)}


def _is_examples(history: History, number: int) -> bool:
    return history.kinds.get(number) == _EXAMPLES


def _window_length(experiment: Experiment) -> int:
    """Spans that the next run may read; 0 where every run reads its own logs."""
    window = getattr(experiment.data, "window", None)
    return 0 if window is None else window.train + window.test


def _window(history: History, length: int) -> set[int]:
    """Examples of the newest spans, all that there are of each, and their statistics."""
    by_span: dict[int, set[int]] = {}
    for examples in history.of_kind(_EXAMPLES):
        if not history.inputs_of(examples.id):
            by_span.setdefault(_span(examples), set()).add(examples.id)
    newest = sorted(by_span)[-length:] if length else []
    kept = set().union(*(by_span[span] for span in newest))
    statistics = {
        number.id for number in history.of_kind(_STATISTICS) if history.inputs_of(number.id) & kept
    }
    return kept | statistics


def _span(examples: metadata_store_pb2.Artifact) -> int:
    for properties in (examples.custom_properties, examples.properties):
        if "span" in properties:
            value = properties["span"]
            return int(value.string_value or value.int_value)
    return 0
