"""Names of weights do not depend on what a process has built before."""

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.settings import ModelSettings
from tests.trainer.small_members import FULL, SMALL

SETTINGS = ModelSettings(network="ple", options=SMALL["ple"], embedding_size=4)


def test_two_models_of_one_process_have_the_same_names():
    models = [RankingModel(FULL, SETTINGS) for _ in range(2)]
    paths = [[variable.path for variable in model.variables] for model in models]
    assert paths[0] != paths[1]
    first, second = (weight_names(model.variables) for model in models)
    assert first == second and len(set(first)) == len(first)


def test_weights_of_one_path_are_told_apart_by_their_order():
    variables = RankingModel(FULL, SETTINGS).variables
    levels = [name for name in weight_names(variables) if "extraction_level/gate/kernel" in name]
    assert levels[0].endswith("kernel") and levels[1].endswith("kernel#2")
