import pytest

from mtlx.pipeline.catalogue.parameter_count import count_for
from mtlx.pipeline.trainings.matched_size import TOLERANCE, CannotMatch, matched, scaled, widths_of
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

INPUTS = ModelInputs(
    (CategoricalInput("item", 50),), (), (), None, ("all",), (TaskSpec("click", "click"),)
)


def test_widths_are_scaled_and_nothing_else():
    model = ModelSettings(network="mmoe", options={"experts": 3, "expert_hidden": [8, 4]})
    assert widths_of(model) == {"expert_hidden": [8, 4], "tower_hidden": (128, 64)}
    made = scaled(model, 0.5)
    assert made.options == {"experts": 3, "expert_hidden": [4, 2], "tower_hidden": [64, 32]}


def test_a_model_comes_near_the_size():
    model = ModelSettings(network="shared_bottom", embedding_size=4)
    made, factor = matched(INPUTS, model, 3000)
    assert abs(count_for(INPUTS, made).rest - 3000) <= TOLERANCE * 3000
    assert factor < 1


def test_what_cannot_be_matched_says_so():
    trees = ModelSettings(network="lightgbm")
    with pytest.raises(CannotMatch, match="has no widths of layers"):
        matched(INPUTS, trees, 3000, lambda inputs, model: 10)
    model = ModelSettings(network="shared_bottom")
    with pytest.raises(CannotMatch, match="it has 10 parameters beside the embeddings, and 3,000"):
        matched(INPUTS, model, 3000, lambda inputs, model: 10)
