"""One way from settings to a model, and one protocol for whatever comes of it."""

import inspect

import numpy as np
import pytest

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)

INPUTS = ModelInputs(
    (CategoricalInput("city", 40),),
    (NumericInput("price"),),
    (),
    "city",
    ("home", "search"),
    (TaskSpec("click", "click"), TaskSpec("like", "like")),
)


@pytest.mark.parametrize(
    ("network", "arrangement", "by_gradient"),
    [
        ("shared_bottom", "joint", True),
        ("shared_bottom", "mtl", True),
        ("lightgbm", "joint", False),
    ],
)
def test_every_model_keeps_the_protocol(network, arrangement, by_gradient):
    settings = ModelSettings(network=network, arrangement=arrangement, embedding_size=4)
    model = build_model(INPUTS, settings)
    for name, _ in inspect.getmembers(Scorer, lambda member: not isinstance(member, type)):
        if not name.startswith("_"):
            assert hasattr(model, name), name
    features = {"city": np.array([1, 2]), "price": np.array([0.5, 1.0], "float32")}
    outputs = model({**features, "domain_id": np.array([1, 0])}, training=False)
    assert {"logits", "probabilities", "domain_id"} <= set(outputs)
    assert outputs["probabilities"].shape == (2, 2) and len(model.variables)
    model.drop_training_parts()
    assert isinstance(model, GradientModel) == by_gradient


def test_a_gradient_model_says_of_itself_what_is_usual():
    class Plain(GradientModel):
        def call(self, features, training=False):
            return features

    model = Plain()
    assert [term["name"] for term in model.default_losses] == ["binary_cross_entropy"]
    assert not model.gate_names and not model.embeddings and not model.fusion_variables
    model.drop_training_parts()
