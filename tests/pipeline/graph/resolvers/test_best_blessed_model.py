"""Which of the models blessed last is the anchor."""

import pytest
from tfx.types import standard_artifacts

from mtlx.components.relaimp_gate.gain import GAIN_PROPERTY
from mtlx.pipeline.graph.resolvers.best_blessed_model import BestBlessedModelStrategy


def _history(gains, baselines):
    """Model 1, 2, ... with what each gained; the candidate comes behind them."""
    models, blessings = [], []
    for number, (gain, baseline) in enumerate(zip(gains, baselines, strict=True), start=1):
        model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
        model.id = number
        blessing.set_int_custom_property("current_model_id", number)
        blessing.set_int_custom_property("blessed", 1)
        if baseline is not None:
            blessing.set_int_custom_property("baseline_model_id", baseline)
        if gain is not None:
            blessing.set_float_custom_property(GAIN_PROPERTY, gain)
        models.append(model)
        blessings.append(blessing)
    candidate = standard_artifacts.Model()
    candidate.id = len(models) + 1
    return {"model": [*models, candidate], "model_blessing": blessings, "candidate": [candidate]}


def _anchor(last, gains, baselines=None):
    baselines = baselines or [None, *range(1, len(gains))][: len(gains)]
    resolved = BestBlessedModelStrategy(last=last).resolve_artifacts(
        None, _history(gains, baselines)
    )
    return [model.id for model in resolved["model"]]


@pytest.mark.parametrize(
    ("last", "gains", "anchor"),
    [
        (10, [None, -0.1, -0.1, -0.1], 1),
        (3, [None, -0.1, -0.1, -0.1], 2),
        (10, [None, 0.1, 0.1, 0.1], 4),
        # A peak in between, and one that is only as good as the one before it.
        (10, [None, 0.2, -0.1, -0.05], 2),
        (10, [None, 0.2, 0.0, -0.05], 2),
        # Of what happened before the window nothing is known.
        (2, [None, 9.0, -1.0, 0.1], 4),
        # Nothing recorded at all, and a change of features after the second.
        (3, [None, None, None, None], 4),
        (10, [None, -0.1, None, -0.2, -0.1], 3),
    ],
)
def test_gains_of_one_push_after_another_are_chained(last, gains, anchor):
    assert _anchor(last, gains) == [anchor]


def test_a_push_over_another_model_than_the_one_before_begins_anew():
    assert _anchor(10, [None, -0.5, 0.1], [None, 77, 2]) == [3]
    assert _anchor(10, [None, -0.5, -0.1], [None, 77, 2]) == [2]


def test_the_first_run_has_no_anchor():
    assert _anchor(5, []) == []
