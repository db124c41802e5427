"""The gate's decision: a pure function from an evaluation and thresholds to a verdict."""

from mtlx.components.relaimp_gate.family.family import decide_together
from mtlx.components.relaimp_gate.lineage import Lineage
from mtlx.components.relaimp_gate.opponents import WORDS, Opponent, obstacle, opponent, undefined
from mtlx.components.relaimp_gate.rules import RULES
from mtlx.components.relaimp_gate.rules.rule import Evidence, Finding, Rule
from mtlx.components.relaimp_gate.settings import GateSettings, Threshold
from mtlx.components.relaimp_gate.slice_pattern import expand_slices
from mtlx.components.relaimp_gate.verdict import Check, Verdict
from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.metrics.metric_names import applies_to
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.slices import SliceKey, slice_text
from mtlx.components.slice_evaluation.statistics.slice_metrics import ANCHOR, CANDIDATE
from mtlx.transform.contract.data_contract import DataContract


def judge(
    results: SliceResults,
    settings: GateSettings,
    contract: DataContract,
    lineage: Lineage | None = None,
) -> Verdict:
    """Holds the candidate against every threshold on every task and slice that it names.

    Fails closed: what is missing, undefined, not comparable or too small to decide blocks, with
    the reason; a threshold that matches nothing blocks; a candidate on which nothing applied is
    not blessed, nor is one tested on an older span than the model that it would replace.

    Args:
        results: of the slice evaluation.
        settings: baseline, anchor and thresholds.
        contract: tasks and domains that have to be there.
        lineage: which rows the models have seen; None where nothing is known.
    """
    lineage = lineage or Lineage()
    if CANDIDATE not in results.models:
        found = ", ".join(results.models) or "no model"
        message = f"the evaluation holds {found}, but no candidate; run the evaluation again"
        blocked = [_whole("evaluation", False, message)]
        return Verdict(False, None, blocked, lineage.models, list(results.notices))
    judged = _Judgement(results, settings, contract)
    checks = [check for threshold in settings.thresholds for check in judged.expand(threshold)]
    checks, family = decide_together(checks, settings.error_rate)
    checks += [*_first_run(checks, settings), *judged.incomparable()]
    if lineage.older is not None:
        checks.append(_whole("span", settings.allow_older_span, _older(lineage.older, settings)))
    against = opponent(results, settings, Threshold(rule="relaimp")).model
    blessed = all(check.passed for check in checks)
    notices = list(results.notices)
    seeds = results.seeds_words
    return Verdict(blessed, against, checks, lineage.models, notices, family, seeds)


def _whole(rule: str, passed: bool, message: str) -> Check:
    """A check of no threshold, on the run as a whole."""
    return Check(rule, "*", "*", passed, message)


def _first_run(checks: list[Check], settings: GateSettings) -> list[Check]:
    """What holds a candidate back because there is nothing to compare it with."""
    compared = [check for check in checks if not check.applicable]
    if len(compared) == len(checks):
        message = (
            "no threshold could be applied: this is a first run, and all thresholds compare with "
            "a baseline; add an absolute one ({rule: auc, ...} or {rule: calibration, ...}), or "
            "name a model under gate.reference"
        )
        return [_whole("evaluation", False, message)]
    if not compared or settings.first_run == "push":
        return []
    message = (
        f"{len(compared)} of {len(checks)} checks compare with a model, and there is none to "
        "compare with; the absolute ones alone push nothing unless they are asked to: run again "
        "with --set gate.first_run=push, or name a model under gate.reference"
    )
    return [_whole("first_run", False, message)]


def _older(words: str, settings: GateSettings) -> str:
    if settings.allow_older_span:
        return f"{words}; gate.allow_older_span lets it pass"
    return (
        f"{words}, and would replace the newer model; if that is meant, run again with --set "
        "gate.allow_older_span=true"
    )


class _Judgement:
    """What all thresholds of one verdict share."""

    def __init__(self, results: SliceResults, settings: GateSettings, contract: DataContract):
        self._results, self._settings, self._contract = results, settings, contract
        self._metrics: dict[tuple[str | None, str, SliceKey], SliceMetrics] = {
            (m.model, m.task, m.key): m for m in results.metrics
        }
        self._comparisons: dict[tuple[str | None, str, SliceKey], Comparison] = {
            (c.baseline, c.task, c.key): c for c in results.comparisons
        }
        self._opponents: set[str] = set()

    def expand(self, threshold: Threshold) -> list[Check]:
        """Checks one threshold on all that it names."""
        rule: Rule = RULES.build(threshold.rule, threshold.options)
        tasks = [
            name
            for name, task in self._contract.tasks.items()
            if matches(name, threshold.task) and applies_to(rule.metric, task.is_regression)
        ]
        keys = expand_slices(threshold.slice, self._results.slices, self._contract)
        if not tasks or not keys:
            return [self._matched_nothing(threshold, rule, bool(tasks))]
        against = opponent(self._results, self._settings, threshold)
        if rule.compares and against.model is not None:
            self._opponents.add(against.model)
        return [
            self._check(threshold.rule, rule, task, key, against) for task in tasks for key in keys
        ]

    def incomparable(self) -> list[Check]:
        """How to go on where a model that thresholds compare with cannot be compared."""
        checks = []
        for model in sorted(self._opponents & set(self._results.incomparable)):
            reasons = dict.fromkeys(self._results.incomparable[model].values())
            asked = "anchor" if model == ANCHOR else "baseline"
            message = (
                f"the {WORDS[model]} cannot be compared with the candidate: it "
                f"{'; it '.join(reasons)}. Compare with the reference (gate.{asked}: reference), "
                "or push this once without a comparison: --set gate.baseline=none --set "
                "gate.first_run=push"
            )
            checks.append(_whole("comparable", False, message))
        return checks

    def _matched_nothing(self, threshold: Threshold, rule: Rule, has_tasks: bool) -> Check:
        kind, pattern = ("slice", threshold.slice_words) if has_tasks else ("task", threshold.task)
        slices = map(slice_text, self._results.slices)
        known = tuple(slices) if has_tasks else tuple(self._contract.tasks)
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        message = f"no {kind} matches {pattern!r}; there are: {shown}"
        if has_tasks:
            message += " (evaluation.slices says which are measured)"
        return Check(
            threshold.rule, threshold.task, threshold.slice_words, False, message,
            threshold=rule.threshold,
        )  # fmt: skip

    def _check(self, name: str, rule: Rule, task: str, key: SliceKey, against: Opponent) -> Check:
        slice_name = slice_text(key)
        if rule.compares and against.absent:
            message = f"{task}, {slice_name}: not applicable: {against.absent}"
            return Check(
                name, task, slice_name, True, message,
                threshold=rule.threshold, applicable=False,
            )  # fmt: skip
        finding = self._obstacle(rule, task, key, against)
        if finding is None:
            finding = rule.check(
                Evidence(
                    self._metrics[CANDIDATE, task, key],
                    self._comparisons.get((against.model, task, key)),
                    against.words,
                )
            )
        message = f"{task}, {slice_name}: {finding.reason}"
        return Check(
            name, task, slice_name, finding.passed, message,
            finding.value, finding.lower, finding.upper, rule.threshold,
            against=against.model if rule.compares else None, errs_by=finding.errs_by,
            level=finding.level, p_value=finding.p_value,
        )  # fmt: skip

    def _obstacle(self, rule: Rule, task: str, key: SliceKey, against: Opponent) -> Finding | None:
        """Why this task and slice cannot be decided, or None."""
        candidate = self._metrics.get((CANDIDATE, task, key))
        if candidate is None or not candidate.examples:
            known = ", ".join(map(slice_text, self._results.slices[:20]))
            absent = (
                "not decidable: the evaluated split has no row of this task in this slice "
                f"(slices with rows: {known})"
            )
            return Finding(False, absent)
        reason: str | None = undefined("candidate", candidate) or self._too_few(candidate)
        if reason is None and rule.compares:
            other = self._metrics.get((against.model, task, key))
            reason = obstacle(self._results, against.model, candidate, other)
        return Finding(False, reason) if reason else None

    def _too_few(self, metric: SliceMetrics) -> str | None:
        least = self._settings.minimum_positives
        if metric.task in self._contract.regressions:
            if metric.examples >= least:
                return None
            return (
                f"not decidable: {metric.examples} rows (at least {least} are needed, "
                "gate.minimum_positives)"
            )
        if min(metric.positives, metric.examples - metric.positives) >= least:
            return None
        return (
            f"not decidable: {metric.positives} positives of {metric.examples} "
            f"(at least {least} of each class are needed, gate.minimum_positives)"
        )
