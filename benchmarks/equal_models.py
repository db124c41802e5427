"""Test splits on which several equally good models score several tasks in several domains.

Used by `benchmarks.gate_trials` and by tests: what a gate holds back, or lets pass as better, it
does by chance.
"""

from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.slices import SliceColumn, SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    relaimp,
)
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.transform.contract.data_contract import DataContract

MODELS = ("candidate", "baseline", "anchor")
TASKS = ("click", "cart", "purchase")
DOMAINS = ("feed", "search", "page")
CONFIDENCE = 0.95
CONTRACT = {
    "features": {"scenario": {"kind": "categorical"}, "user_id": {"kind": "categorical"}},
    "tasks": {task: {"label": task} for task in TASKS},
    "domain": {"feature": "scenario", "values": list(DOMAINS)},
}
#: Rows from which the true AUCs are computed.
_TRUTH_ROWS = 300_000


def contract() -> DataContract:
    """Tasks and domains of the made rows."""
    return DataContract.read(CONTRACT)


@dataclass(frozen=True)
class EqualModels:
    """How test splits are drawn.

    A score is a gain times the label, an effect of the row's user and noise of the row, which all
    models share, and an effect and noise of the model's own. Models and domains differ in nothing
    else, so that all AUCs of a task have the same true value.

    Attributes:
        rows: of one split.
        users: whose rows are alike; a row's user, and domain, is drawn.
        shares: of positives, by task.
        gain: of all models.
        own_effect: standard deviation of the effects of users on one model's scores.
        own_noise: of a model's own noise.
        loss: what the candidate's gain lacks, in the first domain: 0 makes models equal.
    """

    rows: int = 2400
    users: int = 600
    shares: tuple[float, ...] = (0.4, 0.25, 0.15)
    gain: float = 1.2
    own_effect: float = 0.3
    own_noise: float = 0.5
    loss: float = 0.0

    def draw(self, rng: np.random.Generator, trials: int) -> EvaluationBatch:
        """Rows of so many splits, with a slice for each split and one for each of its domains."""
        size = trials * self.rows
        split = np.repeat(np.arange(trials), self.rows)
        user = split * self.users + rng.integers(0, self.users, size)
        domain = rng.integers(0, len(DOMAINS), size)
        labels = np.empty((len(TASKS), size), bool)
        scores = np.empty((len(MODELS), len(TASKS), size), np.float32)
        for task, share in enumerate(self.shares):
            propensity = 0.7 * rng.normal(size=trials * self.users)[user]
            odds = np.exp(np.log(share / (1 - share)) + propensity)
            labels[task] = rng.random(size) < odds / (1 + odds)
            common = 0.5 * propensity + 0.8 * rng.normal(size=size)
            for model in range(len(MODELS)):
                gain = self.gain - self.loss * ((model == 0) & (domain == 0))
                own = self.own_effect * rng.normal(size=trials * self.users)[user]
                own += self.own_noise * rng.normal(size=size)
                scores[model, task] = 1 / (1 + np.exp(-(gain * labels[task] + common + own)))
        names = [(("trial", str(number)),) for number in range(trials)]
        crossed = [(("scenario", name), *trial) for trial in names for name in DOMAINS]
        columns = [
            SliceColumn(split, tuple(names)),
            SliceColumn(split * len(DOMAINS) + domain, tuple(crossed)),
        ]
        everybody = np.ones(labels.shape, bool)
        return EvaluationBatch(columns, labels, everybody, scores, user.astype(np.uint64))

    def truth(self) -> np.ndarray:
        """True AUC of each task ``(3,)``, of all models while they are equal."""
        batch = EqualModels(
            _TRUTH_ROWS, _TRUTH_ROWS // 4, self.shares, self.gain, self.own_effect, self.own_noise
        ).draw(np.random.default_rng(1), 1)
        totals = SliceTotals(len(MODELS), len(TASKS), maximum_slices=1 + len(DOMAINS))
        totals.add(batch)
        return PairedPass(totals).auc[0].mean(axis=0)


def evaluations(
    batch: EvaluationBatch, trials: int, only_relaimp: bool = False
) -> list[SliceResults]:
    """Both passes of the evaluation over rows of `EqualModels`; one result per split.

    Args:
        batch: of so many splits.
        trials: their number.
        only_relaimp: of AUCs the values alone, and no differences: a third of the time, and all
            that thresholds on RelaImp read.
    """
    totals = SliceTotals(len(MODELS), len(TASKS), maximum_slices=trials * (1 + len(DOMAINS)))
    totals.add(batch)
    paired = PairedPass(totals)
    moments = paired.moments_of_clusters(paired.cluster_sums(batch))
    spread = paired.spread(moments, "user_id")
    found: list[tuple[list[SliceMetrics], list[Comparison]]] = [([], []) for _ in range(trials)]
    for number, full in enumerate(totals.keys):
        key, trial = full[:-1], int(full[-1][1])
        for task, name in enumerate(TASKS):
            aucs, own = paired.auc[number, :, task], spread[number, task]
            metrics, comparisons = found[trial]
            for model, model_name in enumerate(MODELS):
                estimate = Estimate(float(aucs[model]))
                if not only_relaimp:
                    estimate = auc_estimate(aucs[model], own, model, CONFIDENCE)
                metrics.append(
                    SliceMetrics(
                        model_name, name, _domain_key(key), *estimate[:3], log_loss=None,
                        calibration=None, positives=int(totals.positives[number, task]),
                        examples=int(totals.examples[number, task]), auc_reason=estimate.reason,
                        auc_curve=estimate.curve,
                    )
                )  # fmt: skip
                if model:
                    pair = aucs[[0, model]]
                    ratio = relaimp(pair, own, model, CONFIDENCE)
                    gap = Estimate(reason="not asked for")
                    if not only_relaimp:
                        gap = auc_difference(pair, own, model, CONFIDENCE)
                    comparisons.append(
                        Comparison(
                            model_name, name, _domain_key(key), *ratio[:3], *gap[:3], ratio.reason,
                            gap.reason, ratio.curve, gap.curve,
                        )
                    )  # fmt: skip
    return [
        SliceResults(MODELS, TASKS, CONFIDENCE, "user_id", metrics, comparisons)
        for metrics, comparisons in found
    ]


def _domain_key(key: SliceKey) -> SliceKey:
    """The slice within its split."""
    return tuple(("domain", value) for _, value in key)
