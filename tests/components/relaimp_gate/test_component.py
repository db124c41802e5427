"""The gate between SliceEvaluation and the stock Pusher and Resolver, with a metadata store."""

import dataclasses
import json
import pathlib

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from mtlx.components.relaimp_gate.component import RelaImpGate
from mtlx.components.relaimp_gate.executor import Executor
from mtlx.components.relaimp_gate.seen.seen_by_models import SEEN_BY
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.component import SliceEvaluation
from tests import tfx_parts as tfx

GATE = json.dumps(
    {
        "thresholds": [
            {"rule": "relaimp", "task": "*", "slice": "overall", "minimum": 0.0},
            {"rule": "relaimp", "task": "click", "slice": "domain=*", "minimum": -1.0},
            {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.6},
        ],
        "first_run": "push",
    }
)


def _importer(name, kind, uri, **properties):
    node = tfx.dsl.Importer(source_uri=uri, artifact_type=kind, properties=properties)
    return node.with_id(name)


class Chain:
    """Runs the pipeline once per candidate on one metadata store, as days would."""

    def __init__(self, folder, contract, examples_uri):
        self.folder, self._contract, self._examples = folder, contract, examples_uri
        self.connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.db"))

    def run(self, model_uri):
        examples = _importer(
            "Examples", standard_artifacts.Examples, self._examples, split_names='["test"]'
        )
        model = _importer("Candidate", standard_artifacts.Model, model_uri)
        resolver = tfx.dsl.Resolver(
            strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
            model=tfx.dsl.Channel(type=standard_artifacts.Model),
            model_blessing=tfx.dsl.Channel(type=standard_artifacts.ModelBlessing),
        ).with_id("LatestBlessed")
        evaluation = SliceEvaluation(
            examples.outputs["result"],
            model.outputs["result"],
            resolver.outputs["model"],
            data_contract=self._contract.to_json(),
            evaluation="{}",
        )
        gate = RelaImpGate(
            evaluation.outputs["evaluation"],
            model.outputs["result"],
            GATE,
            self._contract.to_json(),
            baseline_model=resolver.outputs["model"],
        )
        serving = tfx.proto.PushDestination.Filesystem(base_directory=str(self.folder / "serving"))
        pusher = tfx.components.Pusher(
            model=model.outputs["result"],
            model_blessing=gate.outputs["blessing"],
            push_destination=tfx.proto.PushDestination(filesystem=serving),
        )
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="gate",
            pipeline_root=str(self.folder / "root"),
            components=[examples, model, resolver, evaluation, gate, pusher],
            metadata_connection_config=self.connection,
        )
        tfx.orchestration.LocalDagRunner().run(pipeline)
        return self._last("ModelBlessing"), self._last("PushedModel")

    def _last(self, type_name):
        with metadata.Metadata(self.connection) as handle:
            return max(handle.store.get_artifacts_by_type(type_name), key=lambda found: found.id)


def _property(artifact, name):
    return artifact.custom_properties[name].int_value


@pytest.fixture(scope="module")
def runs(tmp_path_factory, contract, examples_uri, save_model):
    """First run, worse, better, better overall but worse in the feed: blessing and push of each."""
    chain = Chain(tmp_path_factory.mktemp("chain"), contract, examples_uri)
    models = {
        "first": save_model(feed=(1.0, 0.4), search=(1.0, -0.4)),
        "worse": save_model(feed=(1.0, -1.0), search=(1.0, -1.0)),
        "better": save_model(feed=(1.0, 0.5), search=(1.0, 0.0)),
        "seesaw": save_model(feed=(1.0, -0.1), search=(1.0, 1.0)),
    }
    return {name: chain.run(uri) for name, uri in models.items()}


def _failed(blessing):
    return [check for check in Verdict.load(blessing.uri).checks if not check.passed]


def test_first_run_is_decided_by_the_absolute_threshold(runs):
    blessing, pushed = runs["first"]
    verdict = Verdict.load(blessing.uri)
    assert verdict.blessed and verdict.baseline is None
    assert sum(check.applicable for check in verdict.checks) == 1
    assert pathlib.Path(blessing.uri, "BLESSED").exists()
    assert _property(blessing, "blessed") == 1 and _property(pushed, "pushed") == 1
    assert pathlib.Path(pushed.uri, "saved_model.pb").exists()


def test_a_worse_candidate_is_not_pushed(runs):
    blessing, pushed = runs["worse"]
    assert ("click", "overall") in [(check.task, check.slice) for check in _failed(blessing)]
    assert pathlib.Path(blessing.uri, "NOT_BLESSED").exists()
    assert _property(blessing, "blessed") == 0 and _property(pushed, "pushed") == 0
    assert not pathlib.Path(pushed.uri, "saved_model.pb").exists()


def test_a_better_candidate_is_pushed_and_held_against_the_first(runs):
    blessing, pushed = runs["better"]
    assert _failed(blessing) == []
    assert _property(pushed, "pushed") == 1
    # The one blocked in between never became the baseline.
    first = _property(runs["first"][0], "current_model_id")
    assert _property(blessing, "baseline_model_id") == first
    assert blessing.custom_properties["current_model"].string_value


def test_a_gain_overall_with_a_loss_in_one_domain_is_not_pushed(runs):
    blessing, pushed = runs["seesaw"]
    assert [(check.task, check.slice) for check in _failed(blessing)] == [("click", "domain=feed")]
    overall = Verdict.load(blessing.uri).checks[0]
    assert overall.slice == "overall" and overall.lower > 0
    assert _property(pushed, "pushed") == 0
    better = _property(runs["better"][0], "current_model_id")
    assert _property(blessing, "baseline_model_id") == better


def _artifact(kind, uri, identifier):
    made = kind()
    made.uri, made.id = str(uri), identifier
    made.mlmd_artifact.state = metadata_store_pb2.Artifact.LIVE
    return made


def _execute(tmp_path, contract, evaluation_uri, seen_by="", **inputs):
    blessing = _artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", 3)
    Executor().Do(
        {
            "evaluation": [_artifact(standard_artifacts.ModelEvaluation, evaluation_uri, 1)],
            "model": [_artifact(standard_artifacts.Model, tmp_path / "model", 2)],
            **inputs,
        },
        {"blessing": [blessing]},
        {"gate": GATE, "data_contract": contract.to_json(), SEEN_BY: seen_by},
    )
    return blessing


def test_an_evaluation_that_was_never_finished_blocks(tmp_path, contract):
    blessing = _execute(tmp_path, contract, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_int_custom_property("current_model_id") == 2
    (check,) = Verdict.load(blessing.uri).checks
    assert "no finished evaluation" in check.message


def test_an_evaluation_without_the_model_blessed_before_blocks(tmp_path, contract, runs):
    # <root>/RelaImpGate/blessing/<id>; the first run's evaluation has no baseline.
    root = pathlib.Path(runs["first"][0].uri).parents[2]
    uri = min((root / "SliceEvaluation" / "evaluation").iterdir(), key=lambda path: int(path.name))
    baseline = [_artifact(standard_artifacts.Model, tmp_path / "old", 9)]
    blessing = _execute(tmp_path, contract, uri, baseline_model=baseline)
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_int_custom_property("baseline_model_id") == 9
    assert "does not hold it" in Verdict.load(blessing.uri).checks[0].message


@pytest.mark.parametrize("other", ["baseline", None])
def test_what_the_intervals_do_not_know_is_written_beside_the_decision(
    tmp_path, contract, evaluation, monkeypatch, other
):
    """Also where the evaluation is not of this baseline, and the gate decides on nothing else."""
    models = ("candidate", other) if other else ("candidate",)
    notice = "Rows share user_id: intervals are about 1.4 times too narrow."
    results = dataclasses.replace(evaluation(models=models), notices=(notice,))
    monkeypatch.setattr("mtlx.components.relaimp_gate.executor.load_results", lambda uri: results)
    baseline = [_artifact(standard_artifacts.Model, tmp_path / "old", 9)]
    blessing = _execute(tmp_path, contract, tmp_path, baseline_model=baseline)
    written = json.loads(pathlib.Path(blessing.uri, "verdict.json").read_text(encoding="utf-8"))
    assert written["notices"] == [notice]
    assert [check["rule"] for check in written["checks"]][:1] == (
        ["relaimp"] if other else ["evaluation"]
    )


def _examples(uri, span):
    made = _artifact(standard_artifacts.Examples, uri, span)
    made.set_int_custom_property("span", span)
    return [made]


@pytest.mark.parametrize(("span", "held"), [(5, True), (6, False), (7, False)])
def test_a_candidate_of_an_older_span_is_held_back(tmp_path, contract, runs, span, held):
    root = pathlib.Path(runs["first"][0].uri).parents[2]
    uri = min((root / "SliceEvaluation" / "evaluation").iterdir(), key=lambda path: int(path.name))
    served = {"models": {"served": 9}, "seen": {"9": {"trained": [8], "tested": []}}}
    served |= {"folder": str(tmp_path), "examples": {"8": ["/served", 6]}}
    now = _examples(tmp_path / "now", span)
    blessing = _execute(tmp_path, contract, uri, json.dumps(served), examples=now)
    verdict = Verdict.load(blessing.uri)
    assert verdict.blessed is not held
    assert [check.rule for check in verdict.checks if not check.passed] == ["span"] * held
    assert [seen.examples for seen in verdict.lineage] == [f"span {span}"]


def test_what_a_push_gained_is_recorded_for_the_anchor(runs):
    gains = {name: blessing.custom_properties for name, (blessing, _) in runs.items()}
    assert "log_gain_over_baseline" not in gains["first"]
    # One that is worse than chance has no relative gain; it is not blessed either.
    assert "log_gain_over_baseline" not in gains["worse"]
    assert gains["better"]["log_gain_over_baseline"].double_value > 0.01
