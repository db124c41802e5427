"""Typed, validated settings: the base class of every section of the experiment file."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pydantic

from mtlx.transform.config.names import suggest

SettingsType = TypeVar("SettingsType", bound="Settings")


class SettingsError(ValueError):
    """A setting is wrong; every problem is listed with its key path, value and remedy.

    Attributes:
        problems: one ``(key_path, message)`` per problem; a key path is a tuple such as
            ``("features", "age", "transform")``.
    """

    def __init__(self, problems: Sequence[tuple[tuple[str, ...], str]]):
        self.problems = problems
        super().__init__(
            "\n".join(f"{'.'.join(path) or '(top)'}: {text}" for path, text in problems)
        )


class Settings(pydantic.BaseModel):
    """Base of all settings: immutable, no unknown keys, no silent type conversion of text.

    A folder owns the settings of its own room as subclasses of this one; the experiment file
    composes them. `read` is the way in for anything that came from a user.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        """Names the nearest valid key, which pydantic's own message does not."""
        if isinstance(value, Mapping):
            unknown = [key for key in value if key not in cls.model_fields]
            if unknown:
                raise ValueError(
                    "; ".join(
                        f"unknown setting {key!r}, {suggest(str(key), cls.model_fields)}"
                        for key in unknown
                    )
                )
        return value

    @classmethod
    def read(cls: type[SettingsType], values: Mapping[str, Any]) -> SettingsType:
        """Validates plain values (from YAML or JSON) into settings.

        Args:
            values: nested mappings, lists and scalars.

        Returns:
            The settings.

        Raises:
            SettingsError: lists every problem with the key path, the value and the remedy.
        """
        try:
            return cls.model_validate(values)
        except pydantic.ValidationError as error:
            raise SettingsError(
                [line for problem in error.errors() for line in _describe(problem, values)]
            ) from None

    def to_json(self) -> str:
        """Returns these settings as JSON, for a TFX execution property."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls: type[SettingsType], text: str) -> SettingsType:
        """Inverse of `to_json`."""
        return cls.model_validate_json(text)


def in_words_of_yaml(message: str) -> str:
    """A message of pydantic: what is a tuple here is a list in a file."""
    return message.replace("valid tuple", "valid list").replace("Tuple should", "List should")


def _describe(problem: Mapping[str, Any], values: Any) -> list[tuple[tuple[str, ...], str]]:
    """Turns one pydantic problem into key paths of the user's file and messages."""
    path, place = [], values
    for step in problem["loc"]:
        # Steps that pydantic adds itself (the tag of a union) do not exist in the file.
        if isinstance(place, Mapping) and step in place:
            place = place[step]
        elif isinstance(place, list) and isinstance(step, int) and step < len(place):
            place = place[step]
        elif problem["type"] != "missing" or step != problem["loc"][-1]:
            continue
        path.append(str(step))
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, SettingsError):
        # A check that read settings of its own knows where below they are wrong.
        return [((*path, *further), text) for further, text in cause.problems]
    message = in_words_of_yaml(problem["msg"].removeprefix("Value error, "))
    if problem["type"] not in ("value_error", "missing"):
        received = repr(problem["input"])
        message += f". Received: {received if len(received) <= 200 else received[:200] + ' ...'}"
    return [(tuple(path), message)]
