"""Settings of the gate: the `gate` section of the experiment file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from mtlx.components.relaimp_gate.rules import RULES
from mtlx.transform.config.settings import Settings


class Threshold(Settings):
    """One rule, and the tasks and slices that it holds for.

    In the experiment file the rule's options stand beside the other keys:
    ``{rule: auc, task: click, slice: overall, minimum: 0.6}``.

    Attributes:
        rule: registered name.
        task: of the tasks with this name; ``*`` and ``?`` are wildcards, a backslash takes their
            meaning away.
        slice: of these slices: ``overall``, ``domain=search``, ``domain=*``; a cross is named in
            full, ``domain=*,gender=f``, or as a mapping, ``{domain: "*", gender: f}``. A lone
            ``*`` is every slice. Wildcards hold for each feature's value on its own.
        against: what a rule that compares holds the candidate against: ``baseline``, or
            ``anchor`` (`GateSettings.anchor`).
        options: of the rule.
    """

    rule: str
    task: str = "*"
    slice: str | Annotated[dict[str, str], pydantic.Field(min_length=1)] = "overall"
    against: Literal["baseline", "anchor"] = "baseline"
    options: dict[str, Any] = {}

    @property
    def slice_words(self) -> str:
        """The slices as text, however they were given."""
        if isinstance(self.slice, str):
            return self.slice
        return ",".join(f"{name}={value}" for name, value in self.slice.items())

    @property
    def metric(self) -> str:
        """The metric that the rule is about, by its name in `evaluation.metrics`."""
        return RULES.build(self.rule, self.options).metric

    @pydantic.model_validator(mode="before")
    @classmethod
    def _gather_options(cls, value: Any) -> Any:
        """Takes the keys that are not ours for the rule's options."""
        if not isinstance(value, Mapping):
            return value
        beside = {key: item for key, item in value.items() if key not in cls.model_fields}
        own = {key: item for key, item in value.items() if key in cls.model_fields}
        return {**own, "options": {**own.get("options", {}), **beside}} if beside else own

    @pydantic.model_validator(mode="after")
    def _check_rule(self) -> "Threshold":
        rule = RULES.build(self.rule, self.options)
        if self.against != "baseline" and not rule.compares:
            raise ValueError(f"rule {self.rule!r} compares with no model: leave 'against' out")
        return self


class AnchorWindow(Settings):
    """The best of the models that were blessed last.

    Which one is best is told by what the gate recorded when each was pushed: its relative gain in
    AUC - 0.5 over the model before it, overall, averaged over the tasks. Gains of one push after
    another multiply, so that the best is the one behind which every later one lies; of equal ones
    the oldest. Comparisons on the same rows are chained because AUCs of different days are not
    comparable. A push that could not be compared with the one before it, say after features
    changed, begins a new chain.

    Attributes:
        last: so many models are looked at. Losses of so many pushes add up; 1 would be the
            baseline itself.
    """

    last: Annotated[int, pydantic.Field(ge=2)]


class GateSettings(Settings):
    """What a candidate must reach, and what it is compared with.

    Attributes:
        baseline: ``latest_blessed`` compares with the model that was blessed last; where there
            is none yet, with the run's reference model if it has one. ``reference`` compares
            with the reference model always. ``none`` compares with nothing, no anchor either, as
            on a first run: for a push after features changed, so that no older model can be
            compared.
        anchor: a further model to compare with, for thresholds with ``against: anchor``.
            ``bound: upper`` lets a small loss pass that is not sure; each push may lose a little,
            and the losses add up. ``{last: 10}`` compares with the best of the ten models that
            were blessed last, against which they do; ``reference`` with the reference model,
            which is trained anew on the same rows. None compares with no further one.
        first_run: what happens where no model is there to compare with, and thresholds that
            compare stand beside absolute ones: ``hold`` pushes nothing, ``push`` lets the
            absolute ones decide alone.
        allow_older_span: push a model that was tested on an older span of the logs (or, where
            they have no spans, an earlier time range) than the model that it would replace, be it
            the one blessed last or the newest version in `serving.push_to`.
        minimum_positives: a task and slice with fewer positives, or fewer negatives (of a
            regression with fewer rows), is not decidable, which blocks.
        error_rate: so often at most, one of the checks with ``bound: upper`` holds back a
            candidate that falls short in none of them, however many they are (Holm 1979). None
            leaves every check to its own level, and chances to block add up. Checks with ``bound:
            lower`` need no such rate, since all have to be met: what falls short in one passes
            all with no more than that one's level. A threshold with a ``level`` of its own is left
            to it. Where no threshold is left it has nothing to hold for, which is said.
        thresholds: all of them have to be met.
    """

    baseline: Literal["latest_blessed", "reference", "none"] = "latest_blessed"
    anchor: Literal["reference"] | AnchorWindow | None = None
    first_run: Literal["hold", "push"] = "hold"
    allow_older_span: bool = False
    minimum_positives: pydantic.PositiveInt = 50
    error_rate: Annotated[float, pydantic.Field(gt=0.0, le=0.5)] | None = None
    thresholds: Annotated[list[Threshold], pydantic.Field(min_length=1)] = [
        Threshold(rule="relaimp", options={"minimum": 0.0}),
        Threshold(rule="auc", options={"minimum": 0.5}),
    ]

    @pydantic.model_validator(mode="after")
    def _anchor_is_used(self) -> "GateSettings":
        uses = any(threshold.against == "anchor" for threshold in self.thresholds)
        if uses and self.anchor is None:
            raise ValueError(
                "a threshold says against: anchor, but gate.anchor is absent: set it, for example "
                "{last: 10}, or reference"
            )
        if self.anchor is not None and not uses:
            raise ValueError(
                "anchor is set, but no threshold compares with it: add one, for example {rule: "
                'relaimp, task: "*", slice: overall, minimum: -2.0, bound: upper, against: anchor}'
            )
        return self

    def to_json(self) -> str:
        """Returns the gate's own settings as JSON.

        A section of an experiment file may extend these settings, say by the reference model to
        train; what the gate does not read is left out, so that it does not void its cache.
        """
        return self.model_dump_json(include=set(GateSettings.model_fields))

    @property
    def error_rate_is_idle(self) -> bool:
        """Whether an error rate is set, and no threshold could ever be one that it holds for."""
        if self.error_rate is None:
            return False
        rules = [RULES.build(threshold.rule, threshold.options) for threshold in self.thresholds]
        return not any(rule.errs_by == "blocking" and rule.level is None for rule in rules)
