"""Settings of the gate: the `gate` section of the experiment file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from components.relaimp_gate.rules import RULES
from transform.settings import Settings


class Threshold(Settings):
    """One rule, and the tasks and slices that it holds for.

    In the experiment file the rule's options stand beside the other keys:
    ``{rule: auc, task: click, slice: overall, minimum: 0.6}``.

    Attributes:
        rule: registered name.
        task: of the tasks with this name; ``*`` and ``?`` are wildcards.
        slice: of these slices: ``overall``, ``domain=search``, ``domain=*``; a cross is named in
            full, ``domain=*,gender=f``. A lone ``*`` is every slice.
        options: of the rule.
    """

    rule: str
    task: str = "*"
    slice: str = "overall"
    options: dict[str, Any] = {}

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
        RULES.build(self.rule, self.options)
        return self


class GateSettings(Settings):
    """What a candidate must reach, and what it is compared with.

    Attributes:
        baseline: ``latest_blessed`` compares with the model that was blessed last; where there
            is none yet, with the run's reference model if it has one. ``reference`` compares
            with the reference model always.
        minimum_positives: a task and slice with fewer positives, or fewer negatives, is not
            decidable, which blocks.
        thresholds: all of them have to be met.
    """

    baseline: Literal["latest_blessed", "reference"] = "latest_blessed"
    minimum_positives: pydantic.PositiveInt = 50
    thresholds: Annotated[list[Threshold], pydantic.Field(min_length=1)] = [
        Threshold(rule="relaimp", options={"minimum": 0.0}),
        Threshold(rule="auc", options={"minimum": 0.5}),
    ]

    def to_json(self) -> str:
        """Returns the gate's own settings as JSON.

        A section of an experiment file may extend these settings, say by the reference model to
        train; what the gate does not read is left out, so that it does not void its cache.
        """
        return self.model_dump_json(include=set(GateSettings.model_fields))
