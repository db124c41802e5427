"""Too many slices are refused before a model is asked."""

import pytest

from components.slice_evaluation.slice_totals import TooManySlicesError


@pytest.fixture(scope="module")
def helpers(request):
    """The helper functions of this folder's conftest."""
    return next(
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if hasattr(plugin, "make_rows") and hasattr(plugin, "LogisticModel")
    )


def test_a_feature_with_many_values_is_refused_before_any_model_is_loaded(
    evaluate, helpers, tmp_path
):
    rows = helpers.make_rows(1, seed=1) * 12_000
    rows = [{**row, "user_id": f"u{number}"} for number, row in enumerate(rows)]
    uri = helpers.write_examples(tmp_path / "examples", rows)
    settings = {"slices": [["domain"], ["user_id"], ["domain", "user_id"]]}
    # There is no model at all: it would be the second thing to fail.
    with pytest.raises(TooManySlicesError) as refusal:
        evaluate(uri, settings, candidate=str(tmp_path / "nothing"))
    message = str(refusal.value)
    assert "more than 10000 slices in the first 12,000 rows" in message
    assert "[user_id] has 12,000" in message and "[domain, user_id] has 12,000" in message
    assert "[domain] has 1." in message and "evaluation.maximum_slices" in message


def test_so_many_as_are_allowed_pass(evaluate, log, models):
    # overall, three domains, two genders, and rows without one
    settings = {"slices": [["domain"], ["gender"]], "maximum_slices": 7}
    evaluate(log[1], settings, candidate=models["candidate"])
    settings["maximum_slices"] = 6
    with pytest.raises(TooManySlicesError, match="more than 6 slices"):
        evaluate(log[1], settings, candidate=models["candidate"])
