from tfx.types import standard_artifacts

from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy


def _model(number):
    model = standard_artifacts.Model()
    model.id = number
    return model


def _blessing(model_id, blessed):
    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property("current_model_id", model_id)
    blessing.set_int_custom_property("blessed", blessed)
    return blessing


def _resolve(models, blessings, candidate):
    inputs = {
        "model": [_model(number) for number in models],
        "model_blessing": [_blessing(*blessing) for blessing in blessings],
        "candidate": [_model(candidate)],
    }
    resolved = PreviousBlessedModelStrategy().resolve_artifacts(None, inputs)
    assert [model.id for model in resolved["candidate"]] == [candidate]
    return [model.id for model in resolved["model"]], len(resolved["model_blessing"])


def test_latest_blessed_model_wins():
    assert _resolve([1, 2, 3, 4], [(1, 1), (2, 1), (3, 0)], 4) == ([2], 1)


def test_candidate_is_not_its_own_baseline():
    assert _resolve([1, 2, 4], [(1, 1), (4, 1)], 4) == ([1], 1)


def test_first_run_has_no_baseline():
    assert _resolve([4], [], 4) == ([], 0)
    assert _resolve([1, 4], [(1, 0)], 4) == ([], 0)
