"""Gates that are more than one softmax: M3oE's fusion weights, and what DTN-trim would drop."""

import keras
import numpy as np
import pytest

from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
from mtlx.components.model_insight.insight_model import InsightModel
from mtlx.components.model_insight.insights.gates import Gates
from mtlx.components.model_insight.insights.insight import NotThere
from mtlx.components.model_insight.insights.representations import Representations
from mtlx.components.model_insight.insights.sequences import Sequences
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec
from tests.trainer.small_members import SMALL

INPUTS = ModelInputs(
    (CategoricalInput("item", 12), CategoricalInput("city", 12)),
    (),
    (),
    None,
    ("feed", "search"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click", "click")),
)


def _looked_into(network, rows=64, **options):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(
        network=network, options={**SMALL.get(network, {}), **options}, embedding_size=4
    )
    model = InsightModel(build_model(INPUTS, settings), None, INPUTS, settings)
    random = np.random.default_rng(2)
    domains = random.integers(0, 2, rows)
    features = {name: random.integers(1, 12, rows) for name in ("item", "city")}
    labels = np.stack([np.arange(rows) % 2, np.arange(rows) % 4 == 1], axis=1).astype("float32")
    counts = np.stack([np.ones(rows, bool), labels[:, 0] > 0], axis=1)
    made = EvaluatedRows(
        np.zeros(rows), {**features, "domain_id": domains}, labels, counts, domains, rows
    )
    return model, made


def _nothing(line):
    pass


def test_fusion_weights_are_the_sigmoids_of_what_is_learnt():
    model, rows = _looked_into("m3oe")
    numbers = {variable.name: variable for variable in model.scorer.fusion_variables}
    for place, name in enumerate(sorted(numbers)):
        numbers[name].assign(float(place) - 1.0)
    found = Gates().find(model, rows, _nothing)
    expected = {name: 1 / (1 + np.exp(1.0 - place)) for place, name in enumerate(sorted(numbers))}
    assert set(expected) == {"alpha_domain", "alpha_task", "beta_domain", "beta_task"}
    assert found.values["fusion"] == pytest.approx(expected)
    # The shared experts' gate stands beside it.
    assert set(found.values["tasks"]["click"]) == {"overall", "feed", "search"}


def test_means_and_spreads_are_those_of_the_rows():
    model, rows = _looked_into("mmoe")
    weights = model.scorer(rows.features)["gates/buy"].numpy()
    found = Gates().find(model, rows, _nothing).values["tasks"]["buy"]
    for part, inside in (("overall", rows.counts[:, 1]),
                         ("search", rows.counts[:, 1] & (rows.domains == 1))):  # fmt: skip
        assert found[part]["rows"] == inside.sum()
        mean, spread = weights[inside].mean(axis=0), weights[inside].std(axis=0)
        assert list(found[part]["weight"].values()) == pytest.approx(mean, abs=1e-6)
        assert list(found[part]["spread"].values()) == pytest.approx(spread, abs=1e-6)


def test_what_dtn_trim_would_drop_is_named():
    model, rows = _looked_into("dtn")
    network = model.scorer.network
    shares = Gates().find(model, rows, _nothing).values["tasks"]["click"]["overall"]["share"]
    threshold = float(np.median(list(shares.values())))
    found = Gates(threshold=threshold).find(model, rows, _nothing)
    dropped = found.values["trimmed"]["click"]
    assert dropped and all(shares[name] < threshold for name in dropped)
    # Of each of the two gates the largest stays.
    for gate in (0, 2):
        seen = [network.names[place] for place in np.flatnonzero(network.visible[gate])]
        assert max(seen, key=shares.__getitem__) not in dropped
        small = [name for name in seen if shares[name] < threshold]
        assert set(small) - set(dropped) <= {max(seen, key=shares.__getitem__)}
    words = [figure.text for figure in found.figures if figure.kind == "note"][-1]
    assert "gate_trim would drop: click:" in words and dropped[0] in words


@pytest.mark.parametrize("network", ["shared_bottom", "lightgbm"])
def test_a_model_without_gates_says_so(network):
    model, rows = _looked_into(network)
    with pytest.raises(NotThere, match=f"network '{network}' has no gates"):
        Gates().find(model, rows, _nothing)
    with pytest.raises(NotThere, match="the experiment has no behaviour sequences"):
        Sequences().find(model, rows, _nothing)


def test_trees_have_no_towers_to_look_into():
    model, rows = _looked_into("lightgbm")
    with pytest.raises(NotThere, match="network 'lightgbm' has no towers"):
        Representations().find(model, rows, _nothing)
