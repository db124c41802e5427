"""Which model a threshold compares the candidate with, and why it may not be able to."""

from dataclasses import dataclass

from mtlx.components.relaimp_gate.settings import GateSettings, Threshold
from mtlx.components.slice_evaluation.results import SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import ANCHOR, BASELINE, REFERENCE

#: How messages call the models.
WORDS = {
    BASELINE: "baseline model",
    REFERENCE: "reference model",
    ANCHOR: "anchor model",
}

_FIRST_RUN = "first run, no model has been blessed yet and the run has no reference"
_NONE = "gate.baseline is 'none'"


@dataclass(frozen=True)
class Opponent:
    """What a comparing threshold holds the candidate against.

    Attributes:
        model: its name in the evaluation; None where there is none.
        absent: why there is none, and the threshold therefore does not apply; empty where it has
            to apply all the same, and blocks.
    """

    model: str | None
    absent: str = ""

    @property
    def words(self) -> str | None:
        """How messages call it."""
        return WORDS[self.model] if self.model else None


def opponent(results: SliceResults, settings: GateSettings, threshold: Threshold) -> Opponent:
    """Finds the model.

    One that is there and cannot be compared is the opponent nevertheless: another in its place
    would hide that the served model was not beaten.

    Args:
        results: of the slice evaluation.
        settings: which baseline and anchor are asked for.
        threshold: which of the two it names.
    """
    if settings.baseline == "none":
        return Opponent(None, _NONE)
    if threshold.against == "anchor":
        only_reference, first = settings.anchor == "reference", ANCHOR
    else:
        only_reference, first = settings.baseline == "reference", BASELINE
    order = (REFERENCE,) if only_reference else (first, REFERENCE)
    known = (*results.models, *results.incomparable)
    found = next((name for name in order if name in known), None)
    return Opponent(found, "" if found or only_reference else _FIRST_RUN)


def obstacle(
    results: SliceResults,
    model: str | None,
    candidate: SliceMetrics,
    other: SliceMetrics | None,
) -> str | None:
    """Why the candidate cannot be compared with a model in its task and slice, or None.

    Args:
        results: of the slice evaluation.
        model: the opponent's name, None where a reference was asked for and there is none.
        candidate: what was measured of the candidate.
        other: what was measured of the opponent in the same task and slice, None where nothing.
    """
    if model is None:
        return (
            "not decidable: a comparison with the reference is asked for, but the evaluation "
            "holds no reference model; name one under gate.reference"
        )
    reason = results.incomparable.get(model, {}).get(candidate.task)
    if reason is not None:
        return f"not decidable: the {WORDS[model]} {reason}"
    if other is None:
        return f"not decidable: the {WORDS[model]} was not evaluated here"
    if (other.examples, other.positives) != (candidate.examples, candidate.positives):
        return (
            f"not decidable: the {WORDS[model]} was evaluated on other rows ({other.positives} "
            f"positives of {other.examples}, the candidate on {candidate.positives} of "
            f"{candidate.examples})"
        )
    return undefined(WORDS[model], other)


def undefined(model: str, metric: SliceMetrics) -> str | None:
    """That a model's predictions are no numbers, or None."""
    if not metric.undefined_predictions:
        return None
    return (
        f"not decidable: {metric.undefined_predictions} of {metric.examples} predictions of the "
        f"{model} are no finite numbers"
    )
