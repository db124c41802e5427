"""Types of settings and options as a user of YAML thinks of them."""

import inspect
import types
import typing
from collections.abc import Mapping

from mtlx.transform.config.settings import Settings


def is_section(annotation: object) -> bool:
    """Whether a type is a class of settings."""
    # `list[str]` is a class for inspect, but none that issubclass takes.
    if typing.get_origin(annotation) is not None or not inspect.isclass(annotation):
        return False
    return issubclass(annotation, Settings)


def type_words(annotation: object) -> str:
    """A type in words; limits are left to the error message.

    Args:
        annotation: of a constructor's argument or of a setting.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_words(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_words(argument) for argument in arguments))
    if origin is typing.Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin in (dict, Mapping):
        return "mapping" if arguments[1] is typing.Any else f"mapping to {type_words(arguments[1])}"
    if origin is not None and arguments:
        return f"list of {type_words(arguments[0])}"
    if is_section(annotation):
        return "section"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))
