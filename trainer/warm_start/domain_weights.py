"""Which weights of a model have one row for each domain, found by adding a domain."""

from collections.abc import Callable
from dataclasses import replace

from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.weight_names import weight_names
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, ModelInputs

#: Of a model that is built to look at, not to train.
_FEW_IDS = FIRST_VALUE_ID + 1


def domain_weights(build: Callable[[ModelInputs], Scorer], inputs: ModelInputs) -> set[str] | None:
    """Names of the weights whose first axis is the domain.

    Args:
        build: makes a model.
        inputs: features, domains and tasks.

    Returns:
        None where the model depends on the number of domains otherwise, too: a weight holds
        something of theirs along another axis or not one row each, or each has weights of its own.
    """
    few = tuple(replace(field, cardinality=_FEW_IDS) for field in inputs.categorical)
    small = replace(inputs, categorical=few)
    more = replace(small, domains=(*inputs.domains, "\0another"))
    shapes, shapes_of_more = _shapes(build(small)), _shapes(build(more))
    if shapes.keys() != shapes_of_more.keys():
        return None
    found = set()
    for name, shape in shapes.items():
        other = shapes_of_more[name]
        if shape == other:
            continue
        domains = len(inputs.domains)
        if (shape[:1], other[:1], shape[1:]) != ((domains,), (domains + 1,), other[1:]):
            return None
        found.add(name)
    return found


def _shapes(model: Scorer) -> dict[str, tuple[int, ...]]:
    if not isinstance(model, GradientModel):
        raise TypeError("only a model that learns by gradients has such weights")
    names = weight_names(model.variables)
    return {
        name: tuple(variable.shape) for name, variable in zip(names, model.variables, strict=True)
    }
