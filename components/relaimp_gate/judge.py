"""The gate's decision: a pure function from an evaluation and thresholds to a verdict."""

import fnmatch

from components.relaimp_gate.rules import RULES
from components.relaimp_gate.rules.rule import Evidence, Finding, Rule
from components.relaimp_gate.settings import GateSettings, Threshold
from components.relaimp_gate.slice_pattern import expand_slices
from components.relaimp_gate.verdict import Check, Verdict
from components.slice_evaluation.results import SliceMetrics, SliceResults
from components.slice_evaluation.slice_metrics import BASELINE, CANDIDATE, REFERENCE
from transform.data_contract import DataContract

_FIRST_RUN = "not applicable: first run, no model has been blessed yet and the run has no reference"


def judge(results: SliceResults, settings: GateSettings, contract: DataContract) -> Verdict:
    """Holds the candidate against every threshold on every task and slice that it names.

    Fails closed: what is missing, undefined or too small to decide blocks, with the reason; a
    threshold that matches nothing blocks; a candidate on which nothing applied is not blessed.

    Args:
        results: of the slice evaluation.
        settings: baseline and thresholds.
        contract: tasks and domains that have to be there.
    """
    if CANDIDATE not in results.models:
        found = ", ".join(results.models) or "no model"
        message = f"the evaluation holds {found}, but no candidate; run the evaluation again"
        return Verdict(False, None, [Check("evaluation", "*", "*", False, message)])
    baseline = _baseline(results, settings)
    judged = _Judgement(results, settings, contract, baseline)
    checks = [check for threshold in settings.thresholds for check in judged.expand(threshold)]
    if not any(check.applicable for check in checks):
        message = (
            "no threshold could be applied: this is a first run, and all thresholds compare with "
            "a baseline; add an absolute one ({rule: auc, ...} or {rule: calibration, ...}), or "
            "name a model under gate.reference"
        )
        checks.append(Check("evaluation", "*", "*", False, message))
    return Verdict(all(check.passed for check in checks), baseline, checks)


def _baseline(results: SliceResults, settings: GateSettings) -> str | None:
    """The model to compare with, None where the evaluation does not hold one."""
    order = (REFERENCE,) if settings.baseline == "reference" else (BASELINE, REFERENCE)
    return next((name for name in order if name in results.models), None)


class _Judgement:
    """What all thresholds of one verdict share."""

    def __init__(
        self,
        results: SliceResults,
        settings: GateSettings,
        contract: DataContract,
        baseline: str | None,
    ):
        self._results, self._settings = results, settings
        self._contract, self._baseline = contract, baseline
        self._metrics = {(m.model, m.task, m.slice): m for m in results.metrics}
        self._comparisons = {(c.baseline, c.task, c.slice): c for c in results.comparisons}

    def expand(self, threshold: Threshold) -> list[Check]:
        """Checks one threshold on all that it names."""
        rule: Rule = RULES.build(threshold.rule, threshold.options)
        tasks = [name for name in self._contract.tasks if fnmatch.fnmatchcase(name, threshold.task)]
        slices = expand_slices(threshold.slice, self._results.slices, self._contract)
        if not tasks or not slices:
            return [self._matched_nothing(threshold, rule, bool(tasks))]
        return [self._check(threshold.rule, rule, task, name) for task in tasks for name in slices]

    def _matched_nothing(self, threshold: Threshold, rule: Rule, has_tasks: bool) -> Check:
        kind, pattern = ("slice", threshold.slice) if has_tasks else ("task", threshold.task)
        known = self._results.slices if has_tasks else tuple(self._contract.tasks)
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        message = f"no {kind} matches {pattern!r}; there are: {shown}"
        if has_tasks:
            message += " (evaluation.slices says which are measured)"
        return Check(
            threshold.rule, threshold.task, threshold.slice, False, message,
            threshold=rule.threshold,
        )  # fmt: skip

    def _check(self, name: str, rule: Rule, task: str, slice_name: str) -> Check:
        if rule.compares and self._baseline is None and self._settings.baseline != REFERENCE:
            message = f"{task}, {slice_name}: {_FIRST_RUN}"
            return Check(
                name, task, slice_name, True, message,
                threshold=rule.threshold, applicable=False,
            )  # fmt: skip
        finding = self._obstacle(rule, task, slice_name)
        if finding is None:
            finding = rule.check(
                Evidence(
                    self._metrics[CANDIDATE, task, slice_name],
                    self._comparisons.get((self._baseline, task, slice_name)),
                    self._baseline_words,
                )
            )
        message = f"{task}, {slice_name}: {finding.reason}"
        return Check(
            name, task, slice_name, finding.passed, message,
            finding.value, finding.lower, finding.upper, rule.threshold,
        )  # fmt: skip

    @property
    def _baseline_words(self) -> str | None:
        words = {BASELINE: "baseline model", REFERENCE: "reference model"}
        return words[self._baseline] if self._baseline else None

    def _obstacle(self, rule: Rule, task: str, slice_name: str) -> Finding | None:
        """Why this task and slice cannot be decided, or None."""
        candidate = self._metrics.get((CANDIDATE, task, slice_name))
        if candidate is None or not candidate.examples:
            known = ", ".join(self._results.slices[:20])
            reason = (
                "not decidable: the evaluated split has no row of this task in this slice "
                f"(slices with rows: {known})"
            )
            return Finding(False, reason)
        reason = _undefined("candidate", candidate) or self._too_few(candidate)
        if reason is None and rule.compares:
            reason = self._baseline_obstacle(candidate)
        return Finding(False, reason) if reason else None

    def _too_few(self, metric: SliceMetrics) -> str | None:
        least = self._settings.minimum_positives
        if min(metric.positives, metric.examples - metric.positives) >= least:
            return None
        return (
            f"not decidable: {metric.positives} positives of {metric.examples} "
            f"(at least {least} of each class are needed, gate.minimum_positives)"
        )

    def _baseline_obstacle(self, candidate: SliceMetrics) -> str | None:
        if self._baseline is None:
            return (
                "not decidable: gate.baseline is 'reference', but the evaluation holds no "
                "reference model; name one under gate.reference"
            )
        words = self._baseline_words
        other = self._metrics.get((self._baseline, candidate.task, candidate.slice))
        if other is None:
            return f"not decidable: the {words} was not evaluated here"
        if (other.examples, other.positives) != (candidate.examples, candidate.positives):
            return (
                f"not decidable: the {words} was evaluated on other rows ({other.positives} "
                f"positives of {other.examples}, the candidate on {candidate.positives} of "
                f"{candidate.examples})"
            )
        return _undefined(str(words), other)


def _undefined(model: str, metric: SliceMetrics) -> str | None:
    if not metric.undefined_predictions:
        return None
    return (
        f"not decidable: {metric.undefined_predictions} of {metric.examples} predictions of the "
        f"{model} are no finite numbers"
    )
