"""What a rule of the gate is given and what it answers."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pydantic

if TYPE_CHECKING:  # Settings are validated with the rules, which has to stay fast.
    from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics

#: How chance can make a check err: by passing what falls short, where only what is shown to be good
#: enough passes; or by blocking what does not, where only what is shown to fall short blocks.
Error = Literal["passing", "blocking"]
#: One-sided error level of a single check.
Level = Annotated[float, pydantic.Field(gt=0.0, lt=0.5)]
#: Which end of the confidence interval has to reach the minimum.
Bound = Literal["lower", "point", "upper"]


@dataclass(frozen=True)
class Evidence:
    """What was measured on one task and slice, both classes being present in number.

    Attributes:
        candidate: of the candidate.
        comparison: with the baseline; None where the run has none, or it was not measured.
        baseline: which model it is compared with, for messages, or None.
    """

    candidate: "SliceMetrics"
    comparison: "Comparison | None"
    baseline: str | None


@dataclass(frozen=True)
class Finding:
    """A rule's answer.

    Attributes:
        passed: whether the threshold is met; an undefined value never meets one.
        reason: what was measured, and what was asked for.
        value: the point estimate, None where undefined.
        lower: of its interval, None where unknown or where the rule has none.
        upper: of its interval.
        errs_by: how chance can make the answer wrong; None where the value itself decided, and
            for what was not decidable.
        level: the check's own one-sided level; None where the evaluation's interval decided.
        p_value: how often chance alone would do as much: show so good a candidate where the truth
            falls short (``passing``), or so bad a one where it does not (``blocking``); None where
            no end decides or its levels are unknown.
    """

    passed: bool
    reason: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    errs_by: Error | None = None
    level: float | None = None
    p_value: float | None = None


class Rule(abc.ABC):
    """One kind of threshold; the options are the constructor's keyword-only arguments.

    Attributes:
        compares: whether the rule needs a baseline.
        errs_by: how chance can make its checks err; None where it knows no chance.
        level: of its checks; None where the evaluation's interval decides.
        metric: what the rule is about, by its name in `evaluation.metrics`.
    """

    compares: ClassVar[bool] = False
    errs_by: Error | None = None
    level: float | None = None
    metric: str = "auc"

    @property
    @abc.abstractmethod
    def threshold(self) -> str:
        """What is asked for, in a few words."""

    @abc.abstractmethod
    def check(self, evidence: Evidence) -> Finding:
        """Holds one task and slice against the threshold."""
