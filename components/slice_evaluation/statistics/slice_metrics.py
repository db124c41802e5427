"""The finished numbers of every slice, and the names under which they are stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from mtlx.components.slice_evaluation.intervals.estimator import Estimator
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.metrics.ece import Ece
from mtlx.components.slice_evaluation.metrics.metric_names import RELATIVE_TO_CHANCE
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds, seed_name
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.spread import Spread

CANDIDATE = "candidate"
BASELINE = "baseline"
REFERENCE = "reference"
ANCHOR = "anchor"

#: Names under which TFMA stores the metrics; TFMA's own where it has one.
AUC = "auc"
LOG_LOSS = "binary_crossentropy"
CALIBRATION = "calibration"
POSITIVES = "positives"
EXAMPLES = "example_count"
UNDEFINED_PREDICTIONS = "undefined_predictions"
RELAIMP = "relaimp"
AUC_DIFFERENCE = "auc_difference"
#: Behind a metric's name: a text, why it or its interval is undefined.
REASON = "_reason"
#: Behind a metric's name: a text, its bounds at every level (`ConfidenceCurve`).
CURVE = "_confidence_curve"
#: Behind a metric's name: the candidate's less the other model's, and relative to chance.
DIFFERENCE, RELATIVE = "_difference", "_relaimp"
#: Behind a metric's name: the units, users or requests, in which it is undefined.
LEFT_OUT = "_left_out"
#: Names of `evaluation.metrics` that are stored under another one.
_STORED = {"log_loss": LOG_LOSS}

#: A number, an estimate that has a value, or a reason.
Value: TypeAlias = float | Estimate | str
#: Why there is no AUC where labels are numbers.
OF_NUMBERS = "its labels are numbers"


class Place(NamedTuple):
    """What a value is of.

    Attributes:
        name: of the metric, as stored.
        model: name of a model, or of a comparison.
        task: name.
    """

    name: str
    model: str
    task: str


@dataclass(frozen=True)
class Measured:
    """A metric of every slice, model and task.

    Attributes:
        values: ``(S, M, T)`` float64, NaN where it is undefined.
        spread: leading shape ``(S, T)``.
        left_out: ``(S, T)`` int64, units in which it is undefined; None where it is one of rows.
    """

    values: np.ndarray
    spread: Spread
    left_out: np.ndarray | None = None


def comparison_name(baseline: str) -> str:
    """TFMA's model name of what compares the candidate with a baseline."""
    return f"{CANDIDATE} vs {baseline}"


def stored_name(metric: str) -> str:
    """The name under which a metric of `evaluation.metrics` is stored."""
    return _STORED.get(metric, metric)


class SliceMetricsBuilder:
    """Turns the sums of both passes into metrics; what is undefined is left out, with a reason.

    Of a model that was trained from several seeds the means over them stand under its own name,
    and each seed's values, without intervals, under `seed_name`.

    Args:
        models: names of those that are scored, the candidate first.
        tasks: names.
        confidence: of the intervals.
        chosen: the metrics beside the AUC.
        seeds: which of the models are the same training from other seeds; None for none.
    """

    def __init__(
        self,
        models: tuple[str, ...],
        tasks: tuple[str, ...],
        confidence: float,
        chosen: ChosenMetrics | None = None,
        seeds: ModelSeeds | None = None,
    ):
        self._seeds = seeds or ModelSeeds(models)
        self.models, self.tasks, self.confidence = self._seeds.compared, tasks, confidence
        self._places = [self._seeds.places(name) for name in self.models]
        self._chosen = chosen or ChosenMetrics()
        self._estimator = Estimator(self._seeds, confidence)

    def build(
        self, paired: PairedPass, spread: Spread, measured: Mapping[str, Measured] | None = None
    ) -> list[tuple[SliceKey, dict[Place, Value]]]:
        """Returns the metrics of every slice.

        Args:
            paired: totals and AUCs.
            spread: of the models' AUCs, leading shape ``(S, T)``.
            measured: of the chosen metrics by name.
        """
        found = dict(measured or {})
        aucs = Measured(paired.auc, spread)
        of_task = []
        for task in range(len(self.tasks)):
            own = found
            if task not in paired.totals.regressions:
                own = found | dict.fromkeys(self._chosen.of_ranks, aucs)
            of_task.append(
                {
                    name: one
                    for name, one in own.items()
                    if self._chosen.all[name].applies(paired.totals)[task]
                }
            )
        return [
            (key, self._slice(paired, spread, of_task, number))
            for number, key in enumerate(paired.totals.keys)
        ]

    def _slice(
        self,
        paired: PairedPass,
        spread: Spread,
        of_task: list[dict[str, Measured]],
        number: int,
    ) -> dict[Place, Value]:
        metrics: dict[Place, Value] = {}
        for task, task_name in enumerate(self.tasks):
            if not paired.totals.examples[number, task]:
                continue
            causes = self._causes(paired, number, task, OF_NUMBERS)
            found = [
                *self._counts(paired, number, task),
                *self._aucs(paired, spread[number, task], causes, number, task),
            ]
            causes = self._causes(paired, number, task, "its labels add up to 0")
            for name, one in of_task[task].items():
                found += self._metric(paired, name, one, causes, number, task)
            metrics |= {Place(name, model, task_name): value for name, model, value in found}
        return metrics

    def _counts(
        self, paired: PairedPass, number: int, task: int
    ) -> Iterator[tuple[str, str, Value]]:
        """How many rows there are, of all models the same, and how many had no prediction."""
        totals = paired.totals
        for name, own in zip(self.models, self._places, strict=True):
            yield EXAMPLES, name, int(totals.examples[number, task])
            yield POSITIVES, name, int(totals.positives[number, task])
            yield UNDEFINED_PREDICTIONS, name, int(totals.undefined[number, own, task].max())

    def _aucs(
        self, paired: PairedPass, spread: Spread, causes: list[str | None], number: int, task: int
    ) -> Iterator[tuple[str, str, Value]]:
        values, estimator = paired.auc[number, :, task], self._estimator
        joined = self._joined(causes)
        for model, name in enumerate(self.models):
            yield from _named(AUC, name, estimator.auc(values, spread, name), joined[model])
        yield from self._by_seed(AUC, values)
        for model, name in enumerate(self.models[1:], start=1):
            cause = self._cause_of_pair(joined, model, "AUC")
            for metric, estimate in (
                (RELAIMP, estimator.relaimp(values, spread, name)),
                (AUC_DIFFERENCE, estimator.auc_difference(values, spread, name)),
            ):
                yield from _named(metric, comparison_name(name), estimate, cause)

    def _by_seed(self, metric: str, values: np.ndarray) -> Iterator[tuple[str, str, Value]]:
        """What each seed has by itself, as far as it is defined."""
        for name, seeds in self._seeds.by_model.items():
            for seed, place in zip(seeds, self._seeds.places(name), strict=True):
                if np.isfinite(values[place]):
                    yield metric, seed_name(name, seed), float(values[place])

    def _metric(
        self,
        paired: PairedPass,
        name: str,
        one: Measured,
        causes: list[str | None],
        number: int,
        task: int,
    ) -> Iterator[tuple[str, str, Value]]:
        """A chosen metric of all models and comparisons of one task and slice."""
        spread, stored, estimator = one.spread[number, task], stored_name(name), self._estimator
        metric = self._chosen.all[name]
        values = one.values[number, :, task]
        reasons = self._joined([
            None if np.isfinite(value) else cause or _nothing(one, number, task)
            for value, cause in zip(values, causes, strict=True)
        ])  # fmt: skip
        for model, model_name in enumerate(self.models):
            if isinstance(metric, Ece):
                bins = paired.prepared[name]
                estimate = estimator.error(values, spread, model_name, bins, (number, task))
            else:
                estimate = estimator.mean(values, spread, model_name, metric.scale)
            yield from _named(stored, model_name, estimate, reasons[model])
            if one.left_out is not None:
                yield stored + LEFT_OUT, model_name, int(one.left_out[number, task])
        yield from self._by_seed(stored, values)
        for model, model_name in enumerate(self.models[1:], start=1):
            compared = comparison_name(model_name)
            cause = self._cause_of_pair(reasons, model, metric.title)
            difference = estimator.difference(values, spread, model_name, metric.scale)
            yield from _named(stored + DIFFERENCE, compared, difference, cause)
            if name in RELATIVE_TO_CHANCE:
                ratio = estimator.relaimp(values, spread, model_name, metric.title)
                yield from _named(stored + RELATIVE, compared, ratio, cause)

    def _joined(self, causes: Sequence[str | None]) -> list[str | None]:
        """Of each compared model the first cause among its seeds."""
        return [next((causes[p] for p in own if causes[p]), None) for own in self._places]

    def _causes(
        self, paired: PairedPass, number: int, task: int, of_numbers: str
    ) -> list[str | None]:
        """Why each scored model has no AUC, or None; of labels that are numbers as given."""
        totals = paired.totals
        examples, positives = totals.examples[number, task], totals.positives[number, task]
        one_class = positives in (0, examples)
        return [
            f"{undefined} of {examples} predictions are no finite numbers" if undefined
            else of_numbers if task in totals.regressions
            else f"{positives} positives of {examples}" if one_class
            else None
            for undefined in totals.undefined[number, :, task]
        ]  # fmt: skip

    def _cause_of_pair(self, causes: list[str | None], model: int, title: str) -> str | None:
        """Why nothing can be said of a pair of models, or None."""
        for place in (0, model):
            if cause := causes[place]:
                return f"the {self.models[place]} has no {title} here: {cause}"
        return None


def _nothing(one: Measured, number: int, task: int) -> str | None:
    """Why a mean over units has no value, or None where it is not such a mean."""
    if one.left_out is None:
        return None
    return f"no {one.spread.counted} ({one.left_out[number, task]} are left out)"


def _named(
    name: str, model: str, estimate: Estimate, cause: str | None
) -> Iterator[tuple[str, str, Value]]:
    """A metric where it is defined, and the reason where it or its interval is not."""
    if estimate.value is not None:
        yield name, model, estimate
    if not cause and estimate.curve is not None:
        yield name + CURVE, model, estimate.curve.to_text()
    if reason := cause or estimate.reason:
        yield name + REASON, model, reason
