"""Which models were blessed, and which raw examples they came from: in a store of ML-Metadata."""

from tfx.types import standard_artifacts

from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models


def _artifact(kind, number):
    artifact = kind()
    artifact.id = number
    return artifact


def _model(number):
    return _artifact(standard_artifacts.Model, number)


def _blessing(model, blessed=1):
    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property("current_model_id", model)
    blessing.set_int_custom_property("blessed", blessed)
    return blessing


def _blessed(models, blessings, candidates=()):
    inputs = {"model": models, "model_blessing": blessings}
    found = blessed_models({**inputs, "candidate": [_model(number) for number in candidates]})
    return [(one.model.id, one.blessing) for one in found]


def test_the_oldest_is_first_whatever_the_order_of_the_history():
    first, second = _blessing(3), _blessing(8)
    models = [_model(8), _model(5), _model(3)]
    assert _blessed(models, [second, first]) == [(3, first), (8, second)]


def test_of_two_blessings_of_a_model_the_later_one_holds():
    old, new = _blessing(3), _blessing(3)
    assert _blessed([_model(3)], [old, new])[0][1] is new


def test_what_is_not_blessed_or_is_the_candidate_is_left_out():
    blessings = [_blessing(1, 0), _blessing(2), _blessing(3), _blessing(99)]
    models = [_model(number) for number in (1, 2, 3, 4)]
    assert [number for number, _ in _blessed(models, blessings, [3])] == [2]


def _served(number, model, blessed=1, checked=1):
    blessing = _artifact(standard_artifacts.InfraBlessing, number)
    for name, value in {"current_model_id": model, "blessed": blessed, "checked": checked}.items():
        blessing.set_int_custom_property(name, value)
    return blessing


def _baselines(blessings, infra_blessings, models=5):
    inputs = {"model": [_model(number) for number in range(1, models + 1)]}
    inputs |= {"model_blessing": blessings, "infra_blessing": infra_blessings}
    return [one.model.id for one in blessed_models(inputs)]


def _needing(model):
    blessing = _blessing(model)
    blessing.set_int_custom_property("needs_serving_check", 1)
    return blessing


def test_a_model_that_the_serving_check_refused_is_no_baseline():
    blessings = [_needing(1), _needing(2), _needing(3)]
    assert _baselines(blessings, [_served(10, 1), _served(11, 2), _served(12, 3, 0)]) == [1, 2]
    # Of a model that was checked twice, the later one holds.
    again = [_served(11, 2, 1), _served(12, 2, 0), _served(10, 1, 0), _served(13, 1)]
    assert _baselines(blessings, again) == [1]
    # Of another pipeline's gate, which does not ask for it, a refusal holds as well.
    assert _baselines([_blessing(1), _blessing(2)], [_served(9, 2, 0)]) == [1]


def test_a_run_that_ended_before_its_serving_check_leaves_no_baseline():
    assert _baselines([_needing(1), _needing(2)], [_served(10, 1)]) == [1]
    # It was not served, since the gate of another run held it back.
    assert _baselines([_needing(1), _needing(2)], [_served(10, 2, 0, checked=0)]) == []


def test_models_of_before_there_was_a_serving_check_stay_baselines():
    assert _baselines([_blessing(1), _blessing(2), _needing(3)], []) == [1, 2]
    other = _artifact(standard_artifacts.InfraBlessing, 4)  # of TFX's InfraValidator
    assert _baselines([_blessing(1)], [other]) == [1]


def test_a_resolver_that_does_not_ask_for_serving_checks_goes_by_the_gate():
    assert _blessed([_model(1)], [_needing(1)])[0][0] == 1


def test_an_artifact_that_is_no_model_is_left_out():
    """Histories of a channel hold what was of its type once."""
    other = _artifact(standard_artifacts.ModelRun, 2)
    assert _blessed([other, _model(1)], [_blessing(1), _blessing(2)])[0][0] == 1
    assert blessed_models({}) == []
