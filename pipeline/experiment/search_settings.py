"""The `search` section: which settings `mtlx tune` varies, and between what."""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from mtlx.transform.config.settings import Settings, SettingsError

#: What YAML 1.1 takes for text, since it has no point: ``1e-4``.
_WITHOUT_POINT = re.compile(r"[+-]?\d+[eE][+-]?\d+")
_KINDS = ("log", "range", "choices")


def _number(value: Any) -> Any:
    """``1e-4`` as the number that it is in all other settings."""
    is_one = isinstance(value, str) and _WITHOUT_POINT.fullmatch(value)
    return float(value) if is_one else value


def _only_number(value: Any) -> Any:
    value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a number. Received: {value!r}")
    return value


#: A whole number stays one.
Number = Annotated[int | float, pydantic.BeforeValidator(_only_number)]


class Dimension(Settings):
    """One setting that is varied: one of `log`, `range` and `choices`.

    Whole numbers are tried where the setting takes no others, or where `step` is one.

    Attributes:
        log: the lowest and the highest value, above 0, between which orders of magnitude are tried
            alike.
        range: the lowest and the highest value, between which values are tried alike.
        step: of `range`: only every so many from the lowest value on are tried.
        choices: values, of any kind that the setting takes.
    """

    log: list[Number] | None = None
    range: list[Number] | None = None
    step: Annotated[Number, pydantic.Field(gt=0)] | None = None
    choices: list[Annotated[Any, pydantic.BeforeValidator(_number)]] | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: Any) -> Any:
        if not isinstance(value, Mapping | Dimension):
            raise ValueError(
                f"say by log, range or choices between what it is varied, such as "
                f"{{log: [0.0001, 0.01]}}. Received: {value!r}"
            )
        return value

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "Dimension":
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give one of {', '.join(_KINDS)}, such as {{log: [0.0001, 0.01]}}. Received: "
                f"{' and '.join(given) or 'none of them'}"
            )
        if self.step is not None and self.range is None:
            raise ValueError(f"step belongs to range. Received: step {self.step} with {given[0]}")
        if self.choices is not None:
            self._check_choices(self.choices)
        else:
            self._check_bounds()
        return self

    @property
    def bounds(self) -> tuple[int | float, int | float] | None:
        """The lowest and the highest value; None where there are choices."""
        found = self.log or self.range
        return None if found is None else (found[0], found[1])

    def _check_choices(self, choices: list[Any]) -> None:
        try:
            texts = [json.dumps(one, sort_keys=True) for one in choices]
        except TypeError as error:
            raise SettingsError([(("choices",), f"put dates into quotes ({error})")]) from None
        if len(set(texts)) < max(len(texts), 2):
            twice = next((one for one in texts if texts.count(one) > 1), None)
            said = "give two or more" if twice is None else f"{twice} stands there twice"
            raise SettingsError([(("choices",), f"{said}. Received: {choices!r}")])

    def _check_bounds(self) -> None:
        kind = "range" if self.log is None else "log"
        bounds = self.range if self.log is None else self.log
        assert bounds is not None
        problem = ""
        if len(bounds) != 2:
            problem = "give the lowest and the highest value"
        elif bounds[0] >= bounds[1]:
            problem = "the lowest value stands first, and the highest above it"
        elif self.log is not None and bounds[0] <= 0:
            problem = "orders of magnitude begin above 0: give a lowest value, or take range"
        elif self.step is not None and bounds[0] + self.step > bounds[1]:
            problem = f"step {self.step} is longer than the range"
        if problem:
            raise SettingsError([((kind,), f"{problem}. Received: {bounds!r}")])


def flattened(search: Any) -> Any:
    """A search space with one key per setting, ``training.learning_rate``, however it was nested.

    Args:
        search: as the file has it: settings below their sections, or by their whole names.
    """
    if not isinstance(search, Mapping):
        return search
    found: dict[str, Any] = {}
    for key, value in search.items():
        # What ends in a mapping of mappings is a section; what is wrong at the end is said there.
        if isinstance(value, Mapping) and value and _is_section(value):
            found |= {f"{key}.{inner}": one for inner, one in flattened(value).items()}
        else:
            found[str(key)] = value
    return found


def _is_section(value: Mapping[str, Any]) -> bool:
    return all(isinstance(inner, Mapping) for inner in value.values())


#: Settings by name, ``training.learning_rate``, and what they are varied between.
SearchSettings = dict[str, Dimension]
