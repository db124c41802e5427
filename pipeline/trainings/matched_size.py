"""Models of about the same size: the widths of a network's layers, scaled by one factor."""

import inspect
from collections.abc import Callable
from typing import Any

from mtlx.pipeline.catalogue.parameter_count import count_for
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import ModelInputs

#: A size this near to what is asked for is the same.
TOLERANCE = 0.05
#: Widths are scaled by no less and no more.
_LEAST, _MOST = 2.0**-7, 2.0**7


class CannotMatch(ValueError):
    """No widths give a model the size that is asked for; the text says what they give."""


def widths_of(model: ModelSettings) -> dict[str, Any]:
    """The options of a network that are widths of layers, those with their defaults included.

    They are called ``hidden``, ``units``, ``..._hidden`` or ``..._units``. How many experts, levels
    or heads there are, what belongs to embeddings, sequences and bottoms, is what a system is, and
    stays.
    """
    parameters: dict[str, inspect.Parameter] = NETWORKS.options(model.network)
    found = {}
    for name, parameter in parameters.items():
        value = model.options.get(name, parameter.default)
        is_width = name in ("hidden", "units") or name.endswith(("_hidden", "_units"))
        if is_width and value and isinstance(value, int | list | tuple):
            found[name] = value
    return found


def scaled(model: ModelSettings, factor: float) -> ModelSettings:
    """The model with all its widths times a factor, rounded, and 1 at least."""
    options: dict[str, Any] = {}
    for name, value in widths_of(model).items():
        if isinstance(value, int):
            options[name] = max(round(value * factor), 1)
        else:
            options[name] = [max(round(width * factor), 1) for width in value]
    return model.model_copy(update={"options": {**model.options, **options}})


def matched(
    inputs: ModelInputs,
    model: ModelSettings,
    wanted: int,
    count: Callable[[ModelInputs, ModelSettings], int] | None = None,
) -> tuple[ModelSettings, float]:
    """Scales a model's widths until it has about so many parameters, embedding tables aside.

    Args:
        inputs: that it is built for.
        model: with the widths that it has by itself.
        wanted: number of parameters.
        count: of a model; builds it if None.

    Returns:
        The scaled model, and the factor.

    Raises:
        CannotMatch: it has no widths, or none come within `TOLERANCE`.
    """
    count = count or (lambda inputs, model: count_for(inputs, model).rest)
    if not widths_of(model):
        raise CannotMatch(f"its size cannot be matched: {model.network!r} has no widths of layers")
    lower, upper = _LEAST, _MOST
    best = model, 1.0, count(inputs, model)
    for _ in range(14):
        if abs(best[2] - wanted) <= TOLERANCE / 5 * wanted:
            break
        factor = (lower * upper) ** 0.5
        tried = scaled(model, factor)
        size = count(inputs, tried)
        if abs(size - wanted) < abs(best[2] - wanted):
            best = tried, factor, size
        lower, upper = (factor, upper) if size < wanted else (lower, factor)
    if abs(best[2] - wanted) > TOLERANCE * wanted:
        raise CannotMatch(
            f"its size cannot be matched: with its widths times {best[1]:.3g} it has "
            f"{best[2]:,} parameters beside the embeddings, and {wanted:,} are asked for"
        )
    return best[0], best[1]
