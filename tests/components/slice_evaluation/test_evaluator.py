"""The two passes as Beam runs them: the same numbers as scikit-learn's, however rows are cut."""

import pickle
import uuid
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.components.slice_evaluation.evaluation_batch import (
    GROUPINGS_KEY,
    REQUESTS_KEY,
    SLICE_COLUMNS_KEY,
    USERS_KEY,
)
from mtlx.components.slice_evaluation.evaluator import slice_evaluator
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.slices import SliceColumn
from mtlx.components.slice_evaluation.statistics.roc_curve import ROC_KEY
from mtlx.components.slice_evaluation.statistics.shared_rows import SHARED_ROWS_KEY
from mtlx.components.slice_evaluation.statistics.slice_totals import TooManySlicesError
from mtlx.components.slice_evaluation.stored.reliability_curve import RELIABILITY_KEY
from tests.components.slice_evaluation.both_passes import finished
from tests.components.slice_evaluation.made_batches import batch, column, direct_auc, key

MODELS, TASKS, ROWS = ("candidate", "baseline"), ("ctr", "cvr"), 240


@pytest.fixture(scope="module")
def rows():
    """Two tasks, the second on the positives of the first, two models, twenty users."""
    rng = np.random.default_rng(3)
    labels = rng.random((2, ROWS)) < [[0.4], [0.5]]
    labels[1] &= labels[0]
    scores = np.clip(0.4 + 0.2 * labels + 0.2 * rng.normal(size=(2, 2, ROWS)), 0.01, 0.99)
    return {
        "labels": labels,
        "population": np.stack([np.ones(ROWS, bool), labels[0]]),
        # Rounded: some scores are ties.
        "scores": np.round(scores, 2).astype(np.float32),
        "city": rng.choice(["a", "b=,", "男"], ROWS, p=[0.6, 0.3, 0.1]),
        "users": rng.integers(0, 20, ROWS).astype(np.uint64),
        "requests": rng.integers(1, 4, ROWS).astype(np.uint64),
    }


def _extracts(rows, chosen, users=False):
    """One batch as the extractors leave it."""
    labels, population, scores = (rows[n][..., chosen] for n in ("labels", "population", "scores"))
    overall = SliceColumn(np.zeros(len(chosen), np.int64), ((),))
    made = {
        tfma.LABELS_KEY: dict(zip(TASKS, labels.astype(np.float32), strict=True)),
        tfma.EXAMPLE_WEIGHTS_KEY: dict(zip(TASKS, population.astype(np.float32), strict=True)),
        tfma.PREDICTIONS_KEY: {
            model: dict(zip(TASKS, own, strict=True))
            for model, own in zip(MODELS, scores, strict=True)
        },
        SLICE_COLUMNS_KEY: [overall, column("city", rows["city"][chosen])],
        GROUPINGS_KEY: {},
    }
    if not users:
        return made
    return {**made, USERS_KEY: rows["users"][chosen], REQUESTS_KEY: rows["requests"][chosen]}


def _keep(element, folder):
    Path(folder, uuid.uuid4().hex).write_bytes(pickle.dumps(element))


@pytest.fixture
def evaluate(tmp_path, contract):
    """Runs the evaluator on batches; returns what it hands on, by its keys."""

    def run(batches, user_key=None, maximum_slices=10, metrics=()):
        chosen = ChosenMetrics(metrics)
        evaluator = slice_evaluator(
            MODELS, TASKS, 0.9, maximum_slices, user_key, [], contract, chosen
        )
        root = tmp_path / uuid.uuid4().hex
        with beam.Pipeline() as pipeline:
            given = pipeline | beam.Create(batches)
            for name, found in (given | evaluator.ptransform).items():
                (root / name).mkdir(parents=True)
                _ = found | f"Keep{name}" >> beam.Map(_keep, str(root / name))
        return {
            folder.name: [pickle.loads(file.read_bytes()) for file in folder.iterdir()]
            for folder in root.iterdir()
        }

    return run


def _numbers(found):
    """Value and interval by slice, metric, model and task."""
    numbers = {}
    for slice_key, metrics in found[tfma.METRICS_KEY]:
        for name, value in metrics.items():
            place = (slice_key, name.name, name.model_name, name.output_name)
            if hasattr(value, "lower_bound"):
                bounds = (value.value, value.lower_bound, value.upper_bound)
                value = tuple(bound.value for bound in bounds)
            numbers[place] = value
    return numbers


def _value(number):
    """Without its interval, where it has one."""
    return number[0] if isinstance(number, tuple) else number


def test_every_slice_model_and_task_is_measured_as_scikit_learn_does(rows, evaluate):
    pieces = np.array_split(np.random.default_rng(0).permutation(ROWS), 3)
    found = evaluate([_extracts(rows, piece) for piece in pieces])
    numbers = _numbers(found)
    slices = {(): np.ones(ROWS, bool)}
    slices |= {key("city", city): rows["city"] == city for city in ("a", "b=,", "男")}
    assert {place[0] for place in numbers} == set(slices)
    for slice_key, inside in slices.items():
        for task, task_name in enumerate(TASKS):
            chosen = inside & rows["population"][task]
            labels = rows["labels"][task, chosen]
            for model, model_name in enumerate(MODELS):
                scores = rows["scores"][model, task, chosen].astype(np.float64)
                place = (model_name, task_name)
                assert numbers[(slice_key, "example_count", *place)] == chosen.sum()
                assert numbers[(slice_key, "positives", *place)] == labels.sum()
                value = _value(numbers[(slice_key, "auc", *place)])
                assert value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
                loss = _value(numbers[(slice_key, "binary_crossentropy", *place)])
                assert loss == pytest.approx(log_loss(labels, scores), rel=1e-6)
                ratio = scores.sum() / labels.sum()
                found_ratio = _value(numbers[(slice_key, "calibration", *place)])
                assert found_ratio == pytest.approx(ratio, rel=1e-6)
    (curves,) = found[ROC_KEY]
    assert set(curves) == set(TASKS)
    # The candidate's curve has the area that is its AUC.
    auc = numbers[(), "auc", "candidate", "ctr"][0]
    recall, width = np.array(curves["ctr"].recall), np.diff(curves["ctr"].false_positive_rate)
    assert (width * (recall[1:] + recall[:-1]) / 2).sum() == pytest.approx(auc)
    assert found[SHARED_ROWS_KEY] == [[]]


def test_a_user_whose_rows_are_in_several_batches_is_one_cluster(rows, evaluate):
    """By row the intervals would be others; by user they do not depend on the batches."""
    together = [_extracts(rows, np.arange(ROWS), users=True)]
    apart = [_extracts(rows, np.arange(ROWS)[start::4], users=True) for start in range(4)]
    numbers, others = (_numbers(evaluate(part, "user_id")) for part in (together, apart))
    assert set(numbers) == set(others)
    for place, value in numbers.items():
        if not isinstance(value, str):
            assert value == pytest.approx(others[place], rel=1e-9), place
    by_row = _numbers(evaluate([_extracts(rows, np.arange(ROWS))]))
    place = ((), "auc", "candidate", "ctr")
    assert numbers[place][0] == pytest.approx(by_row[place][0])
    assert abs(numbers[place][1] - by_row[place][1]) > 1e-4


def test_all_metrics_are_those_of_both_passes_however_rows_are_cut(rows, evaluate):
    """Users and requests come together from several batches; Beam changes no number."""
    metrics = ("ece", "rmse", "normalised_entropy", "xauc", "gauc", "ndcg@3", "mrr", "recall@2")
    batches = [_extracts(rows, np.arange(ROWS)[start::4], users=True) for start in range(4)]
    found = evaluate(batches, "user_id", metrics=metrics)
    numbers = _numbers(found)
    made = batch(
        rows["labels"],
        rows["scores"],
        rows["population"].astype(float),
        rows["users"],
        requests=rows["requests"],
        city=rows["city"],
    )
    expected = finished([made], metrics, 0.9, user_key="user_id")
    for slice_key, values in expected.items():
        for place, value in values.items():
            own = numbers.pop((slice_key, *place))
            if isinstance(value, str):
                assert own == value
                continue
            value = value if isinstance(value, int) else value[: 1 if value.lower is None else 3]
            value = value[0] if isinstance(value, tuple) and len(value) == 1 else value
            assert own == pytest.approx(value, rel=1e-9, abs=1e-12), place
    assert not numbers
    (curves,) = found[RELIABILITY_KEY]
    assert sum(curves["ctr"].weight) == ROWS
    assert curves["ctr"].prediction == sorted(curves["ctr"].prediction)


def test_rows_of_one_class_have_counts_and_say_why_they_have_no_auc(rows, evaluate):
    chosen = np.flatnonzero(~rows["labels"][0])
    numbers = _numbers(evaluate([_extracts(rows, chosen)]))
    assert numbers[(), "example_count", "candidate", "ctr"] == len(chosen)
    assert ((), "auc", "candidate", "ctr") not in numbers
    assert numbers[(), "auc_reason", "candidate", "ctr"] == f"0 positives of {len(chosen)}"
    # The second task has no row at all, and so no number.
    assert not [place for place in numbers if place[-1] == "cvr"]


def test_no_rows_at_all_is_an_error_that_says_so(evaluate):
    with pytest.raises(Exception, match="the evaluated split holds no examples"):
        evaluate([])


def test_more_slices_than_are_allowed_are_refused_wherever_they_come_together(rows, evaluate):
    """Each batch has two slices, all of them together four."""
    pieces = [np.flatnonzero(rows["city"] == city) for city in ("a", "b=,", "男")]
    batches = [_extracts(rows, piece) for piece in pieces]
    with pytest.raises(Exception, match="more than 3 slices") as caught:
        evaluate(batches, maximum_slices=3)
    assert TooManySlicesError.__name__ in f"{caught.type} {caught.value}"
    assert len(evaluate(batches, maximum_slices=4)[tfma.METRICS_KEY]) == 4


def test_the_rows_of_a_pair_in_order_are_counted_by_hand():
    """What the other tests compare with is right where it can be counted."""
    assert direct_auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1]) == 3.5 / 4
