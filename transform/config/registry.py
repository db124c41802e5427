"""Names that an experiment file may use, each bound to the class that implements it."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError, in_words_of_yaml


class Registry:
    """Maps the names of one kind of thing to classes, imported only when asked for.

    A new member is one new file and one line in the `members` of its registry. The options
    that a user may set in YAML are the keyword-only arguments of the member's constructor;
    the annotations are their types and the defaults their default values, so that the
    signature is the only place where an option is declared. Positional arguments are what the
    surrounding code provides.

    Args:
        kind: what the members are, in words, for error messages: ``"network"``.
        members: name to ``"package.module:ClassName"``.

    Attributes:
        shared_options: meanings of options that the registry itself gives its members.
    """

    shared_options: Mapping[str, str] = {}

    def __init__(self, kind: str, members: Mapping[str, str]):
        self.kind = kind
        self._members = dict(members)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._members))

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def register(self, name: str, target: str) -> None:
        """Adds a member from outside this project, say from a user's own package.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._members:
            raise ValueError(f"{self.kind} {name!r} is registered already: {self._members[name]}")
        self._members[name] = target

    def get(self, name: str) -> type[Any]:
        """Returns the class registered under `name`.

        Raises:
            SettingsError: no such member; the message lists the known ones.
        """
        if name not in self._members:
            raise SettingsError([((), f"unknown {self.kind} {name!r}, {suggest(name, self)}")])
        module, _, attribute = self._members[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """Returns the options (keyword-only constructor arguments) of a member by name."""
        member = self.get(name)
        # Of a class without a constructor of its own, inspect would see Keras's `__new__`.
        called = member.__init__ if inspect.isclass(member) else member
        signature = inspect.signature(called, eval_str=True)
        return {
            key: parameter
            for key, parameter in signature.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }

    def validate(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks options against the member's constructor without building anything.

        Returns:
            The options, converted to the annotated types; defaults are not filled in.

        Raises:
            SettingsError: an unknown option (the nearest valid one is named), a value of the
                wrong type, or a required option that is absent.
        """
        known, problems = self.options(name), []
        checked: dict[str, Any] = {}
        for key, value in options.items():
            if key not in known:
                problems.append(
                    ((key,), f"unknown option {key!r} of {name!r}, {suggest(key, known)}")
                )
                continue
            try:
                annotation = known[key].annotation
                checked[key] = pydantic.TypeAdapter(annotation).validate_python(value)
            except pydantic.ValidationError as error:
                text = "; ".join(in_words_of_yaml(problem["msg"]) for problem in error.errors())
                problems.append(((key,), f"{text}. Received: {value!r}"))
        for key, parameter in known.items():
            if parameter.default is inspect.Parameter.empty and key not in options:
                problems.append(((key,), f"option {key!r} of {name!r} is required"))
        if problems:
            raise SettingsError(problems)
        return checked

    def build(self, name: str, options: Mapping[str, Any], *context: Any) -> Any:
        """Builds a member.

        Args:
            name: the registered name.
            options: what the user set.
            *context: the positional arguments that the surrounding code provides.

        Raises:
            SettingsError: see `validate`.
        """
        return self.get(name)(*context, **self.validate(name, options))
