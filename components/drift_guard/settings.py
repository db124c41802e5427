"""Settings of the drift guard: the `drift` section of the experiment file."""

from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings

#: A bound on a measure; None for no bound.
Bound = Annotated[float, pydantic.Field(gt=0.0)] | None


class FeatureThresholds(Settings):
    """How far one feature may move; what is left out is as for all features.

    Attributes:
        jensen_shannon: as in `Thresholds`.
        l_infinity: as in `Thresholds`.
        psi: as in `Thresholds`.
        missing: as in `Thresholds`.
        out_of_vocabulary: as in `Thresholds`.
        mean_shift: as in `Thresholds`.
    """

    jensen_shannon: Bound = None
    l_infinity: Bound = None
    psi: Bound = None
    missing: Bound = None
    out_of_vocabulary: Bound = None
    mean_shift: Bound = None

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is not used, so that nothing of an earlier version is made anew."""
        values: dict[str, Any] = serialize(self)
        if "mean_shift" not in self.model_fields_set:
            values.pop("mean_shift", None)
        return values


class Thresholds(FeatureThresholds):
    """How far every feature may move, beyond what chance alone moves it by; null for no bound.

    Attributes:
        jensen_shannon: of a number, the Jensen-Shannon divergence in bits, in [0, 1], between
            its two distributions in twenty buckets of equally many rows before; 0.05 is a normal
            distribution moved by half of its standard deviation.
        l_infinity: of a category, the largest difference of one value's share.
        psi: of a category, the population stability index, over the values with a share of at
            least a hundredth and the others together.
        missing: difference of the share of rows without a value.
        out_of_vocabulary: share of the values that the vocabulary of the rows before lacks,
            beyond what it lacks of rows like these.
        mean_shift: of a vector, the largest difference of the means of one of its numbers, in
            standard deviations of that number.
        label_rate: relative difference of the share of positive labels, per task and domain.
    """

    jensen_shannon: Bound = 0.05
    l_infinity: Bound = 0.05
    psi: Bound = 0.1
    missing: Bound = 0.05
    out_of_vocabulary: Bound = 0.1
    mean_shift: Bound = 0.5
    label_rate: Bound = 0.25


class DriftSettings(Settings):
    """Which movements of the data matter, and what is done about them.

    Attributes:
        on_drift: ``warn`` says in the terminal and the report what moved beyond its threshold;
            ``stop`` ends the run before it trains; ``off`` does not look.
        categories: measure of categorical features and sequences, ``l_infinity`` or ``psi``.
        thresholds: of all features and labels.
        features: thresholds of single features, by name.
        label_rates: thresholds of single tasks' label rates, by name; null for no bound.
    """

    on_drift: Literal["warn", "stop", "off"] = "warn"
    categories: Literal["l_infinity", "psi"] = "l_infinity"
    thresholds: Thresholds = Thresholds()
    features: dict[str, FeatureThresholds] = {}
    label_rates: dict[str, Bound] = {}

    def bound(self, feature: str, measure: str) -> float | None:
        """The threshold of a feature's measure; None where it may move as it likes."""
        own = self.features.get(feature)
        if own is not None and measure in own.model_fields_set:
            return getattr(own, measure)
        return getattr(self.thresholds, measure)

    def label_bound(self, task: str) -> float | None:
        """The threshold of a task's label rate."""
        return self.label_rates.get(task, self.thresholds.label_rate)
