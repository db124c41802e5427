"""Settings of the skew guard: the `skew` section of the experiment file."""

from typing import Annotated, Any, Literal

import pydantic

from mtlx.components.drift_guard.settings import Bound, DriftSettings, FeatureThresholds
from mtlx.transform.config.settings import Settings

#: Measures that the drift guard has, too.
_SHARED = tuple(FeatureThresholds.model_fields)


class FeatureSkewThresholds(FeatureThresholds):
    """How far what was served of one feature may differ; what is left out is as for all.

    Attributes:
        jensen_shannon: as in `drift.thresholds`.
        l_infinity: as in `drift.thresholds`.
        psi: as in `drift.thresholds`.
        missing: as in `drift.thresholds`.
        out_of_vocabulary: as in `drift.thresholds`.
        mean_shift: as in `drift.thresholds`.
        unequal: as in `skew.thresholds`.
    """

    unequal: Bound = None


class SkewThresholds(FeatureSkewThresholds):
    """How far what was served of every feature may differ from what was logged; null for no bound.

    Attributes:
        jensen_shannon: of a number, as in `drift.thresholds`.
        l_infinity: of a category, as in `drift.thresholds`.
        psi: of a category, as in `drift.thresholds`.
        missing: difference of the share of rows without a value.
        out_of_vocabulary: share of the served values that the vocabulary of the logs lacks,
            beyond what it lacks of rows like these.
        mean_shift: of a vector, as in `drift.thresholds`.
        unequal: with a `key`, the share of rows that were served with another value than the row
            of the same key in the logs has.
    """

    jensen_shannon: Bound = 0.05
    l_infinity: Bound = 0.05
    psi: Bound = 0.1
    missing: Bound = 0.05
    out_of_vocabulary: Bound = 0.1
    mean_shift: Bound = 0.5
    unequal: Bound = 0.01


class SkewSettings(Settings):
    """What `data.serving_path` holds besides features, and which differences matter.

    Attributes:
        scores: by task the column of the served scores; a task that is left out is not compared.
        version: column with the number of the version that made a row's scores; None where the
            logs do not say, and then it is the version that served before they were written.
        key: feature (``embed: false`` is enough) by which a served row is found in the logs, say
            the impression's id; None compares distributions alone.
        versions_in: folder of the versions that served; `serving.push_to` if None.
        reader: registered name of the serving logs' reader; `data.reader` if None.
        options: of that reader; those of `data` where `reader` is None.
        missing_logs: ``allow`` goes on where there are no serving logs of a span yet, and says
            so; ``refuse`` stops the run.
        sample_rows: so many rows are scored again, drawn from all by `seed`.
        seed: of the draw.
        tolerance: a score that differs by no more is the same.
        maximum_share: of the rows may have a score that differs, or none that is a probability.
        on_skew: ``warn`` says in the terminal and the report what lies beyond; ``stop`` ends
            the run before it trains.
        categories: measure of categorical features and sequences, ``l_infinity`` or ``psi``.
        thresholds: of all features.
        features: thresholds of single features, by name.
    """

    scores: dict[str, str] = {}
    version: str | None = None
    key: str | None = None
    versions_in: str | None = None
    reader: str | None = None
    options: dict[str, Any] = {}
    missing_logs: Literal["allow", "refuse"] = "allow"
    sample_rows: Annotated[int, pydantic.Field(ge=100)] = 20_000
    seed: int = 1
    tolerance: Annotated[float, pydantic.Field(gt=0.0, lt=1.0)] = 1e-4
    maximum_share: Annotated[float, pydantic.Field(ge=0.0, lt=1.0)] = 0.01
    on_skew: Literal["warn", "stop"] = "warn"
    categories: Literal["l_infinity", "psi"] = "l_infinity"
    thresholds: SkewThresholds = SkewThresholds()
    features: dict[str, FeatureSkewThresholds] = {}

    @pydantic.model_validator(mode="after")
    def _options_are_of_a_reader(self) -> "SkewSettings":
        if self.options and self.reader is None:
            raise ValueError("options are those of a reader: name it in skew.reader")
        return self

    def as_drift(self) -> DriftSettings:
        """The thresholds of what the drift guard measures, as it takes them."""
        return DriftSettings.read(
            {
                "categories": self.categories,
                "thresholds": self.thresholds.model_dump(include=set(_SHARED)),
                "features": {
                    name: own.model_dump(include=set(_SHARED), exclude_unset=True)
                    for name, own in self.features.items()
                },
            }
        )

    def unequal_bound(self, feature: str) -> float | None:
        """The threshold of a feature's share of unequal values; None where any may differ."""
        own = self.features.get(feature)
        if own is not None and "unequal" in own.model_fields_set:
            return own.unequal
        return self.thresholds.unequal
