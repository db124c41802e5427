"""Ten models, each a little worse than the one before, none of them significantly.

The test rows of a day are drawn anew for each push, and candidate, baseline and anchor are scored
on the same ones, as the pipeline does.
"""

import numpy as np
from scipy import stats
from tfx.types import standard_artifacts

from mtlx.components.relaimp_gate.gain import GAIN_PROPERTY, recorded_gain
from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.paired_auc import auc_estimate, relaimp
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.spread import Spread
from mtlx.pipeline.graph.resolvers.best_blessed_model import BestBlessedModelStrategy
from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {"features": {"a": {"kind": "numeric"}}, "tasks": {"click": {"label": "click"}}}
)
POSITIVES, NEGATIVES, DAYS = 400, 1600, 10
#: Share of the signal that each model lacks more than the one before.
STEP = 0.005
MODELS = ("candidate", "baseline", "anchor")


def _results(losses, rng):
    """An evaluation of models that share most of their noise, and lack some of the signal."""
    labels = np.repeat([1, 0], [POSITIVES, NEGATIVES])
    noise = rng.normal(size=len(labels)) + 0.15 * rng.normal(size=(len(losses), len(labels)))
    scores = (1.0 - np.array(losses)[:, None]) * labels + noise
    ranks = stats.rankdata(scores, axis=1)
    within = [stats.rankdata(scores[:, labels == label], axis=1) for label in (1, 0)]
    positives = (ranks[:, labels == 1] - within[0]) / NEGATIVES
    negatives = 1 - (ranks[:, labels == 0] - within[1]) / POSITIVES
    auc = positives.mean(axis=1)
    # Each row is a cluster of its own.
    sums = np.zeros((len(losses), 2, len(labels)))
    sums[:, 0, labels == 1] = positives - auc[:, None]
    sums[:, 1, labels == 0] = negatives - auc[:, None]
    classes = np.stack([labels, 1 - labels])
    counts = np.array([[POSITIVES], [NEGATIVES]])
    influence = influences(sums, classes / counts, np.broadcast_to(counts, classes.shape))
    groups = np.zeros(len(labels), np.int64)
    moments = PairedMoments.of_clusters(groups, influence, classes / counts, 1)
    spread = Spread.of_moments(moments)[0,]
    metrics = [
        SliceMetrics(
            name, "click", (), *auc_estimate(auc[place], spread, place, 0.95)[:3],
            log_loss=0.5, calibration=1.0, positives=POSITIVES, examples=POSITIVES + NEGATIVES,
        )
        for place, name in enumerate(MODELS)
    ]  # fmt: skip
    comparisons = [
        Comparison(
            name, "click", (),
            *relaimp(auc[[0, place]], spread, place, 0.95)[:3],
            None, None, None,
        )
        for place, name in ((1, "baseline"), (2, "anchor"))
    ]  # fmt: skip
    return SliceResults(MODELS, ("click",), 0.95, None, metrics, comparisons)


class Pushes:
    """The store of models and blessings, as the gate and the Resolvers see it."""

    def __init__(self):
        self.models, self.blessings, self.losses = [], [], []

    def push(self, loss, gain=None):
        model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
        model.id = len(self.models) + 1
        blessing.set_int_custom_property("current_model_id", model.id)
        blessing.set_int_custom_property("baseline_model_id", model.id - 1)
        blessing.set_int_custom_property("blessed", 1)
        if gain is not None:
            blessing.set_float_custom_property(GAIN_PROPERTY, gain)
        self.models.append(model)
        self.blessings.append(blessing)
        self.losses.append(loss)

    def loss_of(self, strategy):
        history = {"model": self.models, "model_blessing": self.blessings}
        (model,) = strategy.resolve_artifacts(None, history)["model"]
        return self.losses[model.id - 1]


def _pushed(anchored, step=STEP, last=DAYS, seed=2):
    """How many candidates in a row pass, and the decision on the last of them."""
    upper = {"rule": "relaimp", "task": "*", "slice": "overall", "minimum": 0.0, "bound": "upper"}
    thresholds = [upper, {**upper, "minimum": -1.0, "against": "anchor"}] if anchored else [upper]
    settings = GateSettings.read(
        {"thresholds": thresholds} | ({"anchor": {"last": last}} if anchored else {})
    )
    rng, pushes = np.random.default_rng(seed), Pushes()
    pushes.push(0.0)
    for day in range(1, DAYS + 1):
        baseline = pushes.loss_of(PreviousBlessedModelStrategy())
        anchor = pushes.loss_of(BestBlessedModelStrategy(last))
        results = _results((day * step, baseline, anchor), rng)
        verdict = judge(results, settings, CONTRACT)
        if not verdict.blessed:
            return day - 1, verdict
        pushes.push(day * step, recorded_gain(results))
    return DAYS, verdict


def test_small_losses_pass_the_upper_bound_for_ever():
    pushed, verdict = _pushed(anchored=False)
    assert pushed == DAYS
    assert verdict.blessed and verdict.checks[0].value < 0


def test_the_anchor_refuses_once_they_have_added_up():
    pushed, verdict = _pushed(anchored=True)
    assert 1 < pushed < DAYS
    assert [(check.against, check.passed) for check in verdict.checks] == [
        ("baseline", True),
        ("anchor", False),
    ]


def test_an_anchor_that_slides_along_with_the_baseline_would_not_refuse():
    # The best of the last two is the baseline, or the one before it.
    assert _pushed(anchored=True, last=2)[0] == DAYS


def test_equal_models_are_pushed_with_an_anchor_too():
    assert _pushed(anchored=True, step=0.0)[0] == DAYS
