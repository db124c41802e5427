"""Lets Beam look at the signature of a DoFn's method once per class."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any


def remember_signatures() -> None:
    """Lets Beam remember what it finds out about the methods of a DoFn.

    It inspects all of them some six times for every stage of every pipeline, where it is made,
    written, read and run: a tenth of what stages cost.
    """
    from apache_beam.transforms import core

    if not hasattr(core.get_signature, "__wrapped__"):
        core.get_signature = remembering(core.get_signature)


def remembering(
    get_signature: Callable[[Any], inspect.Signature],
) -> Callable[[Any], inspect.Signature]:
    """The same function, which is asked once for every method of a class.

    Args:
        get_signature: callables to signatures. Of a method it tells what its function says, so that
            all objects of a class have the same one.
    """
    # A function and not a method: what it is bound to would never be freed.
    of_function: dict[Callable[..., Any], inspect.Signature] = {}

    @functools.wraps(get_signature)
    def remembered(called: Any) -> inspect.Signature:
        if not inspect.ismethod(called) or not _of_a_module(called.__func__):
            return get_signature(called)
        if called.__func__ not in of_function:
            of_function[called.__func__] = get_signature(called)
        return of_function[called.__func__]

    return remembered


def _of_a_module(function: Any) -> bool:
    """Whether a function stays as long as the process does, and is not made by another one."""
    return isinstance(function, types.FunctionType) and "<locals>" not in function.__qualname__
