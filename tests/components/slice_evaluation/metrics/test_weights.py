"""What weights do: of one nothing, of two as much as rows that stand twice; and bad ones."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.evaluation_batch import checked_weights
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from tests.components.slice_evaluation.both_passes import ALL_METRICS, finished
from tests.components.slice_evaluation.made_batches import batch

#: Values that rows with weights have as such rows would have that often.
COUNTED = tuple(name for name in ALL_METRICS if name not in ("gauc_equal", "ece"))

#: Value and interval by metric and model, see the last test.
BEFORE = {
    ("auc", "candidate"): (0.7263681592039798, 0.6859401070724346, 0.763387189666355),
    ("auc", "baseline"): (0.7856917416257608, 0.743670262521563, 0.8224689333144103),
    ("relaimp", "candidate vs baseline"): (
        -20.76489228711812,
        -36.94803724989543,
        -2.0873164818620005,
    ),
    ("auc_difference", "candidate vs baseline"): (
        -0.05932358242178104,
        -0.11346820071501595,
        -0.005390064240564867,
    ),
    ("binary_crossentropy", "candidate"): (0.5042656884586012,),
    ("calibration", "baseline"): (0.8931260706117812,),
}


def _rows(rows=600, seed=2):
    rng = np.random.default_rng(seed)
    labels = rng.random((2, rows)) < 0.35
    scores = np.round(np.clip(0.3 + 0.2 * labels + 0.2 * rng.normal(size=(2, 2, rows)), 0.01, 1), 2)
    users, requests = rng.integers(1, 50, rows), rng.integers(1, 5, rows)
    return labels, scores, users, requests


@pytest.mark.parametrize("by_user", [False, True])
def test_weights_of_one_change_no_digit(by_user):
    labels, scores, users, requests = _rows()
    ones = np.ones(labels.shape)
    ones[1, :200] = 0.0
    metrics = ALL_METRICS if by_user else ("log_loss", "calibration", "rmse", "ece")
    found = [
        finished(
            [batch(labels, scores, given, users if by_user else None, requests=requests)], metrics
        )
        for given in (ones > 0, ones)
    ]
    assert found[0] == found[1]


def test_whole_weights_give_the_values_of_rows_that_stand_that_often():
    labels, scores, users, _ = _rows()
    # Requests of which all rows weigh the same: a request weighs as its rows do on average.
    requests = np.arange(600) // 6 + 1
    users = requests % 40 + 1
    times = np.repeat(np.random.default_rng(1).integers(1, 4, 100), 6)
    weighted = finished(
        [batch(labels, scores, np.tile(times, (2, 1)).astype(float), users, requests=requests)],
        COUNTED,
    )[()]
    copies = np.repeat(np.arange(600), times)
    # Each copy of a request is a request.
    number = np.concatenate([np.arange(count) for count in times])
    twice = finished(
        [
            batch(
                labels[:, copies],
                scores[..., copies],
                None,
                users[copies],
                requests=requests[copies] * 10 + number,
            )
        ],
        COUNTED,
    )[()]
    for place, value in weighted.items():
        if hasattr(value, "value") and not place.name.endswith("_relaimp"):
            assert value.value == pytest.approx(twice[place].value, rel=1e-9), place
    # How many rows there are is told by the rows alone.
    assert weighted["example_count", "candidate", "ctr"] == 600


def test_only_the_weights_relations_matter():
    labels, scores, users, requests = _rows()
    weights = 0.2 + np.random.default_rng(3).random(labels.shape)
    one, other = (
        finished([batch(labels, scores, scale * weights, users, requests=requests)])[()]
        for scale in (1.0, 1000.0)
    )
    for place, value in one.items():
        if hasattr(value, "value"):
            assert value[:3] == pytest.approx(other[place][:3], rel=1e-6, abs=1e-9), place


def test_unequal_weights_widen_the_intervals():
    labels, scores, _, _ = _rows(4000)
    weights = np.where(np.random.default_rng(3).random(labels.shape) < 0.1, 20.0, 1.0)
    widths = [
        {
            place.name: value.upper - value.lower
            for place, value in finished([batch(labels, scores, given)], ("log_loss",))[()].items()
            if isinstance(value, Estimate)
            and value.lower is not None
            and place.model == "candidate"
        }
        for given in (None, weights)
    ]
    # Kish's design effect: the mean square over the squared mean is 4.9.
    for name in ("auc", "binary_crossentropy"):
        assert 1.5 < widths[1][name] / widths[0][name] < 2.7


def test_a_row_of_weight_zero_is_as_if_it_were_not_there():
    labels, scores, users, requests = _rows()
    kept = np.random.default_rng(4).random(600) < 0.6
    weights = np.tile(np.where(kept, 0.7, 0.0), (2, 1))
    one = finished([batch(labels, scores, weights, users, requests=requests)])
    other = finished(
        [
            batch(
                labels[:, kept],
                scores[..., kept],
                weights[:, kept],
                users[kept],
                requests=requests[kept],
            )
        ]
    )
    for place, value in one[()].items():
        expected = other[()][place]
        if hasattr(value, "value"):
            assert value[:3] == pytest.approx(expected[:3], rel=1e-9), place
        else:
            assert value == expected, place


@pytest.mark.parametrize("bad", [-0.5, np.nan, np.inf])
def test_a_weight_that_is_none_is_refused_with_its_task_and_value(bad):
    weights = {"ctr": np.float32([1, 1, 1]), "cvr": np.float32([1, bad, 0])}
    with pytest.raises(ValueError, match="a weight is 0 or more") as caught:
        checked_weights(weights, ("ctr", "cvr"))
    assert "1 of 3 rows for task 'cvr'" in str(caught.value) and str(bad) in str(caught.value)


def test_numbers_are_those_of_before_there_were_weights():
    """Printed by the evaluation when a row either counted or did not."""
    rng = np.random.default_rng(7)
    labels = rng.random((1, 800)) < 0.25
    scores = np.clip(0.2 + 0.1 * labels + 0.1 * rng.normal(size=(2, 1, 800)), 0.001, 0.999)
    found = finished([batch(labels, scores, None, rng.integers(1, 60, 800))], ())[()]
    for (name, model), expected in BEFORE.items():
        value = found[name, model, "ctr"]
        # SciPy's t quantiles differ by 2e-9 from release to release: an end near 0 by more.
        assert value[: len(expected)] == pytest.approx(expected, rel=1e-7), name
