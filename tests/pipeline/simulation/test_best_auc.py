"""The best possible AUC, by counting pairs."""

import itertools

import numpy as np
import pytest

from mtlx.pipeline.simulation.best_auc import CLICK_WITHOUT_POSITION, BestAuc
from mtlx.pipeline.simulation.preferences import Probabilities
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS


def _pairs(probabilities, labels):
    """Share of pairs of a positive and a negative row in the right order; ties count half."""
    positive, negative = probabilities[labels == 1], probabilities[labels == 0]
    if not len(positive) or not len(negative):
        return None
    right = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(positive, negative)]
    return float(np.mean(right))


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    conditional = rng.integers(1, 9, size=(300, 3)) / 10  # with ties
    labels = np.cumprod(rng.random((300, 3)) < conditional, axis=1)
    truth = Probabilities(conditional, conditional[:, 0] + rng.normal(0, 0.1, 300).round(1))
    return truth, labels, rng.integers(len(DOMAINS), size=300)


def test_each_task_is_measured_on_its_population_in_every_domain(rows):
    truth, labels, domain = rows
    conditional, unplaced = truth.conditional, truth.click_without_position
    measured = BestAuc()
    for part in (slice(0, 100), slice(100, 101), slice(101, 300)):
        measured.add(Probabilities(conditional[part], unplaced[part]), labels[part], domain[part])
    found = measured.result()
    assert set(found) == {*TASKS, CLICK_WITHOUT_POSITION}
    assert found[CLICK_WITHOUT_POSITION]["overall"] == pytest.approx(_pairs(unplaced, labels[:, 0]))
    search = domain == DOMAINS.index("search")
    expected = _pairs(unplaced[search], labels[search, 0])
    assert found[CLICK_WITHOUT_POSITION]["domain=search"] == pytest.approx(expected)
    population = np.ones(300, bool)
    for index, task in enumerate(TASKS):
        for name, rows_of in [
            ("overall", population),
            *((f"domain={d}", population & (domain == n)) for n, d in enumerate(DOMAINS)),
        ]:
            expected = _pairs(conditional[rows_of, index], labels[rows_of, index])
            assert found[task][name] == (None if expected is None else pytest.approx(expected))
        population = population & (labels[:, index] == 1)
    assert all(0.5 < found[task]["overall"] < 1 for task in TASKS)


def test_what_has_one_class_or_no_row_has_no_auc():
    measured = BestAuc()
    # One domain only, all clicked, none in the cart.
    labels = np.array([[1, 0, 0]] * 4)
    measured.add(Probabilities(np.full((4, 3), 0.5), np.full(4, 0.5)), labels, np.zeros(4, int))
    found = measured.result()
    assert {auc for slices in found.values() for auc in slices.values()} == {None}
    assert set(found["purchase"]) == {"overall", *(f"domain={name}" for name in DOMAINS)}
