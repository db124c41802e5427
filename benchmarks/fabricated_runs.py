"""Runs that were never run: artifacts on disk, and in a real metadata store all that a run leaves.

For measuring, and for tests of what looks at the runs of the past: a day costs a hundredth of a
second, and its files have the sizes that are asked for.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.components.evaluator import constants
from tfx.types import artifact, standard_artifacts

from mtlx.components.log_example_gen.ingestion_summary import INGESTION_FOLDER
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage, SpanNote
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.report.artifact import HtmlReport
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER, METADATA_FILE, RunFolder

#: Node, output, type of the artifact, and inputs as node and output.
_NODES = (
    ("LogExampleGen", {"examples": standard_artifacts.Examples}, ()),
    ("StatisticsGen", {"statistics": standard_artifacts.ExampleStatistics}, ("examples",)),
    ("SchemaGen", {"schema": standard_artifacts.Schema}, ("statistics",)),
    (
        "Transform",
        {
            "transform_graph": standard_artifacts.TransformGraph,
            "transformed_examples": standard_artifacts.Examples,
        },
        ("examples", "schema"),
    ),
    (
        "Trainer",
        {"model": standard_artifacts.Model, "model_run": standard_artifacts.ModelRun},
        ("transformed_examples", "transform_graph", "schema"),
    ),
    ("SliceEvaluation", {"evaluation": standard_artifacts.ModelEvaluation}, ("examples", "model")),
    ("RelaImpGate", {"blessing": standard_artifacts.ModelBlessing}, ("evaluation", "model")),
    ("Report", {"report": HtmlReport}, ("evaluation", "blessing")),
    ("Pusher", {"pushed_model": standard_artifacts.PushedModel}, ("model", "blessing")),
)
_FILES = {"model": "Format-Serving/saved_model.pb", "examples": "Split-train/data"}
#: What every execution notes.
_SETTINGS = "{}" * 150
_EVENT, _STATE = metadata_store_pb2.Event, metadata_store_pb2.Execution


@dataclasses.dataclass(frozen=True)
class FabricatedRun:
    """What a fabricated run left.

    Attributes:
        run_id: of the run.
        artifacts: by output.
        executions: ids by node.
        version: of the push; None where nothing was pushed.
    """

    run_id: str
    artifacts: Mapping[str, metadata_store_pb2.Artifact]
    executions: Mapping[str, int]
    version: int | None

    def uri(self, output: str) -> Path:
        """Folder of an output."""
        return Path(self.artifacts[output].uri)


class FabricatedRuns:
    """Runs of one pipeline, made one after another.

    Args:
        root: pipeline root; made.
        name: of the pipeline.
        push_to: serving folder.
        sizes: bytes of a file in each output; 100 for the others.
    """

    def __init__(
        self, root: Path, name: str, push_to: str | Path, sizes: Mapping[str, int] | None = None
    ):
        self.root, self._name, self._push_to = root, name, push_to
        self._sizes = sizes or {}
        root.mkdir(parents=True, exist_ok=True)
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(root / METADATA_FILE)
        config.sqlite.connection_mode = (
            metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        )
        self.store = ml_metadata.MetadataStore(config)
        self._types: dict[str, int] = {}
        self.runs: list[FabricatedRun] = []

    def run(
        self,
        span: int,
        blessed: bool = True,
        pushed: bool = True,
        until: str | None = None,
        cached: FabricatedRun | None = None,
        base: FabricatedRun | None = None,
    ) -> FabricatedRun:
        """Makes one run, the newest.

        Args:
            span: of its examples.
            blessed: by the gate.
            pushed: where it is blessed.
            until: the node that fails, with a folder that the store knows nothing of; None for a
                run that ends well.
            cached: run whose examples, statistics and schema this one takes over.
            base: run whose model the training of this one begins with.
        """
        run_id = f"20260101-000000-{len(self.runs):06d}"
        artifacts: dict[str, metadata_store_pb2.Artifact] = {}
        executions: dict[str, int] = {}
        for node, outputs, inputs in _NODES:
            if node == until:
                executions[node] = self._failed(node, run_id, outputs)
                break
            given = {name: artifacts[name] for name in inputs}
            if node == "Trainer":  # It does not ask who made its examples.
                given["examples"] = given.pop("transformed_examples")
            if node == "Trainer" and base is not None:
                given["base_model"] = base.artifacts["model"]
            if cached is not None and node in ("LogExampleGen", "StatisticsGen", "SchemaGen"):
                taken = {name: cached.artifacts[name] for name in outputs}
                executions[node] = self._put(node, run_id, _STATE.CACHED, given, taken)
                artifacts |= taken
                continue
            number = self._put(node, run_id, _STATE.RUNNING, given, {})
            made = {
                name: self._make(node, name, kind, number, span) for name, kind in outputs.items()
            }
            self._properties(made, artifacts, span, blessed)
            if "pushed_model" in made:
                goes = blessed and pushed
                made["pushed_model"].custom_properties["pushed"].int_value = int(goes)
            executions[node] = self._put(node, run_id, _STATE.COMPLETE, {}, made, number)
            ids = self.store.get_events_by_execution_ids([number])
            found = {event.path.steps[0].key: event.artifact_id for event in ids}
            for name in made:
                (artifacts[name],) = self.store.get_artifacts_by_id([found[name]])
        version = None
        if until is None and blessed and pushed:
            version = self._push(run_id, artifacts["model"], span)
        folder = RunFolder.of(self.root, run_id)
        folder.path.mkdir(parents=True)
        folder.write_record({"run_id": run_id})
        folder.write_report("report" * 100)
        folder.log.write_text("log" * 100, encoding="utf-8")
        if until is None:
            folder.make_latest()
        self.runs.append(FabricatedRun(run_id, artifacts, executions, version))
        return self.runs[-1]

    def _make(
        self, node: str, name: str, kind: type[artifact.Artifact], number: int, span: int
    ) -> metadata_store_pb2.Artifact:
        made = kind()
        folder = self.root / ARTIFACTS_FOLDER / node / name / str(number)
        file = folder / _FILES.get(name, "data")
        file.parent.mkdir(parents=True)
        # The number makes each model another one.
        file.write_bytes(f"{number}.".encode() * (self._sizes.get(name, 100) // 5 + 1))
        if name == "examples":
            _ingested(folder, number, span)
        made.uri = str(folder)
        proto = made.mlmd_artifact
        proto.type_id = self._type("artifact", made.artifact_type)
        proto.state = metadata_store_pb2.Artifact.LIVE
        return proto

    @staticmethod
    def _properties(
        made: Mapping[str, metadata_store_pb2.Artifact],
        artifacts: Mapping[str, metadata_store_pb2.Artifact],
        span: int,
        blessed: bool,
    ) -> None:
        if "examples" in made:
            made["examples"].properties["span"].int_value = span
            made["examples"].custom_properties["span"].int_value = span
        if "blessing" in made:
            properties = made["blessing"].custom_properties
            model = constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
            properties[model].int_value = artifacts["model"].id
            properties[constants.ARTIFACT_PROPERTY_BLESSED_KEY].int_value = int(blessed)

    def _push(self, run_id: str, model: metadata_store_pb2.Artifact, span: int) -> int:
        spans = (SpanNote(span),)
        lineage = PushLineage(
            self._name, spans, spans, revision="abc", verdict={"blessed": True, "checks": 2},
            metrics={"click": {"auc": {"value": 0.6 + span / 1000, "lower": 0.5, "upper": 0.7}}},
        )  # fmt: skip
        order = PushOrder(run_id, lineage)
        return push(
            os.path.join(model.uri, "Format-Serving"), str(self._push_to), None, order
        ).number

    def _failed(self, node: str, run_id: str, outputs: Mapping[str, type]) -> int:
        number = self._put(node, run_id, _STATE.FAILED, {}, {})
        for name in outputs:
            folder = self.root / ARTIFACTS_FOLDER / node / name / str(number)
            folder.mkdir(parents=True)
            (folder / "part").write_bytes(b"x" * 100)
        return number

    def _put(
        self,
        node: str,
        run_id: str,
        state: int,
        inputs: Mapping[str, metadata_store_pb2.Artifact],
        outputs: Mapping[str, metadata_store_pb2.Artifact],
        number: int | None = None,
    ) -> int:
        """Writes an execution, with what went in and came out, into its contexts."""
        execution = _STATE(last_known_state=state, id=number)
        kind = metadata_store_pb2.ExecutionType(name=f"mtlx.{node}")
        execution.type_id = self._type("execution", kind)
        execution.custom_properties["data_contract"].string_value = _SETTINGS
        execution.custom_properties["span"].int_value = len(self.runs)
        pairs = [(made, _event(name, _EVENT.INPUT)) for name, made in inputs.items()]
        pairs += [(made, _event(name, _EVENT.OUTPUT)) for name, made in outputs.items()]
        names = {"pipeline": self._name, "pipeline_run": run_id, "node": f"{self._name}.{node}"}
        contexts = [self._context(kind, name) for kind, name in names.items()]
        return self.store.put_execution(execution, pairs, contexts, True)[0]

    def _context(self, kind: str, name: str) -> metadata_store_pb2.Context:
        type_id = self._type("context", metadata_store_pb2.ContextType(name=kind))
        return metadata_store_pb2.Context(type_id=type_id, type=kind, name=name)

    def _type(self, what: str, message: object) -> int:
        key = f"{what} {message.name}"  # type: ignore[attr-defined]
        if key not in self._types:
            put = getattr(self.store, f"put_{what}_type")
            self._types[key] = put(message, can_add_fields=True, can_omit_fields=True)
        return self._types[key]


def _ingested(folder: Path, number: int, span: int) -> None:
    """Writes what LogExampleGen leaves beside the rows."""
    rows = {"train": 80, "validation": 10, "test": 10}
    file = {"file": f"/logs/{span}.csv", "size": 1, "modified": number, "rows": rows}
    summary: dict[str, Any] = {
        "rows": rows,
        "provenance": {
            "span": span,
            "span_is_date": False,
            "split": {"by": "span"},
            "time_column": None,
            "times": {},
            "sources": [file],
        },
    }
    below = folder / INGESTION_FOLDER
    below.mkdir()
    (below / "summary.json").write_text(json.dumps(summary), encoding="utf-8")


def _event(name: str, kind: int) -> metadata_store_pb2.Event:
    event = _EVENT(type=kind)
    event.path.steps.add().key = name
    return event
