"""Which nodes find the models that a candidate is compared with, as the gate asks."""

import pytest
from tfx.dsl.components.common import resolver

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.opponents import Opponents
from mtlx.pipeline.graph.resolvers.best_blessed_model import BestBlessedModelStrategy
from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy
from tests import tfx_parts as tfx

EXPERIMENT = """\
name: small
data: {reader: csv, path: logs/*.csv, split: {by: row}}
features:
  item: {kind: categorical}
tasks:
  click: {label: click}
model: {network: ple}
"""


@pytest.fixture
def opponents(tmp_path):
    """The opponents of a candidate with the given gate."""

    def function(gate="{}"):
        path = tmp_path / "x.yaml"
        path.write_text(f"{EXPERIMENT}gate: {gate}\n", encoding="utf-8")
        kinds = tfx.types.standard_artifacts
        candidate = tfx.components.Trainer(
            run_fn="a.b", examples=tfx.dsl.Channel(type=kinds.Examples),
            train_args=tfx.proto.TrainArgs(), eval_args=tfx.proto.EvalArgs(),
        )  # fmt: skip
        return Opponents.of(read_experiment(path), candidate), candidate

    return function


def _strategy(node):
    """Class and settings that a resolver is run with."""
    properties = node.exec_properties
    return properties[resolver.RESOLVER_STRATEGY_CLASS], properties[resolver.RESOLVER_CONFIG]


def test_the_model_blessed_last_is_always_looked_for(opponents):
    found, _ = opponents()
    assert [node.id for node in found.nodes] == ["LatestBlessedModel"]
    assert found.baseline is found.served.outputs["model"]
    assert found.output(found.anchor, "model") is None and found.given is None


def test_a_window_of_models_brings_an_anchor(opponents):
    threshold = "{rule: relaimp, minimum: -1, against: anchor}"
    found, _ = opponents(f"{{anchor: {{last: 7}}, thresholds: [{threshold}]}}")
    assert [node.id for node in found.nodes] == ["LatestBlessedModel", "AnchorModel"]
    assert _strategy(found.anchor) == (BestBlessedModelStrategy, {"last": 7})
    assert _strategy(found.served) == (PreviousBlessedModelStrategy, {})
    assert found.output(found.anchor, "model") is found.anchor.outputs["model"]


def test_a_reference_as_anchor_needs_no_node_of_its_own(opponents):
    threshold = "{rule: relaimp, minimum: -1, against: anchor}"
    gate = f"{{anchor: reference, reference: {{network: mmoe}}, thresholds: [{threshold}]}}"
    assert opponents(gate)[0].anchor is None


@pytest.mark.parametrize("given", ["models/7", "/models/größe 7", "gs://bucket/models/7"])
def test_a_given_model_takes_the_place_of_the_baseline_alone(opponents, given):
    found, _ = opponents(f"{{given_model: {given}}}")
    assert [node.id for node in found.nodes] == ["LatestBlessedModel", "GivenModel"]
    assert found.baseline is found.given.outputs["result"]
    uri = found.given.exec_properties["artifact_uri"]
    assert uri.endswith(given) and (uri.startswith("/") or "://" in uri)


def test_the_candidate_is_an_input_of_every_resolver_so_that_it_is_left_out(opponents):
    threshold = "{rule: relaimp, minimum: -1, against: anchor}"
    found, candidate = opponents(f"{{anchor: {{last: 2}}, thresholds: [{threshold}]}}")
    for node in (found.served, found.anchor):
        assert node.raw_inputs["candidate"] is candidate.outputs["model"]
        histories = {"model", "model_blessing", "infra_blessing"}
        assert set(node.raw_inputs) == {*histories, "candidate"}
