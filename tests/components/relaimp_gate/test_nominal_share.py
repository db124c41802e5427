"""A/A: of two models with the same true quality, the gate lets at most its nominal share pass."""

import functools

import numpy as np
from scipy import stats

from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.paired_auc import auc_estimate, relaimp
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.spread import Spread

TRIALS, POSITIVES, NEGATIVES = 2000, 150, 350


def _trial(rng, gain):
    """AUCs and their spread on one drawn test split, for two scores that are alike."""
    labels = np.repeat([1, 0], [POSITIVES, NEGATIVES])
    common = labels + 0.7 * rng.normal(size=len(labels))
    scores = common + 0.5 * rng.normal(size=(2, len(labels)))
    scores[0] += gain * labels
    ranks = stats.rankdata(scores, axis=1)
    within = [stats.rankdata(scores[:, labels == label], axis=1) for label in (1, 0)]
    positives = (ranks[:, labels == 1] - within[0]) / NEGATIVES
    negatives = 1 - (ranks[:, labels == 0] - within[1]) / POSITIVES
    auc = positives.mean(axis=1)
    sums = np.zeros((2, 2, len(labels)))
    sums[:, 0, labels == 1] = positives - auc[:, None]
    sums[:, 1, labels == 0] = negatives - auc[:, None]
    counts = np.array([[POSITIVES], [NEGATIVES]])
    shares = np.stack([labels == 1, labels == 0]) / counts
    influence = influences(sums, shares, counts)
    moments = PairedMoments.of_clusters(np.zeros(len(labels), int), influence, shares, 1)
    return auc, Spread.of_moments(moments)[0,]


@functools.cache
def _drawn(gain, trials):
    """What the gate is given in each trial."""
    rng = np.random.default_rng(3)
    rows = {"log_loss": 0.5, "calibration": 1.0, "positives": POSITIVES}
    drawn = []
    for _ in range(trials):
        auc, spread = _trial(rng, gain)
        metrics = [
            SliceMetrics(
                model, "click", (), *auc_estimate(auc[place], spread, place, 0.95)[:3],
                examples=POSITIVES + NEGATIVES, **rows,
            )
            for place, model in enumerate(("candidate", "baseline"))
        ]  # fmt: skip
        compared = Comparison(
            "baseline", "click", (), *relaimp(auc, spread, 1, 0.95)[:3], None, None, None
        )
        models, tasks = ("candidate", "baseline"), ("click",)
        drawn.append(SliceResults(models, tasks, 0.95, None, metrics, [compared]))
    return drawn


def _share(contract, bound, gain=0.0, trials=TRIALS):
    threshold = {"rule": "relaimp", "task": "click", "minimum": 0.0, "bound": bound}
    settings = GateSettings.read({"thresholds": [threshold]})
    drawn = _drawn(gain, trials)
    return sum(judge(results, settings, contract).blessed for results in drawn) / trials


def test_equal_models_pass_the_lower_bound_in_its_nominal_share(contract):
    # One end of a two-sided 95 % interval: 2.5 %, with three standard errors of the simulation.
    assert 0.005 < _share(contract, "lower") < 0.025 + 3 * np.sqrt(0.025 * 0.975 / TRIALS)


def test_equal_models_are_held_back_by_the_upper_bound_in_its_nominal_share(contract):
    held_back = 1 - _share(contract, "upper")
    assert 0.005 < held_back < 0.025 + 3 * np.sqrt(0.025 * 0.975 / TRIALS)


def test_a_real_gain_passes(contract):
    assert _share(contract, "lower", gain=0.5, trials=200) > 0.9
