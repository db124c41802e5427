"""What keeps a model from beginning with the weights of another one, in words."""

import json
from collections.abc import Iterator
from typing import Any

import pydantic_core

from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.condition import Condition

#: Parts of a model: the key of the name and that of its options.
_PARTS: tuple[tuple[str, str | None, Registry], ...] = (
    ("network", "options", NETWORKS),
    ("sequence_encoder", "sequence_options", SEQUENCE_ENCODERS),
    ("bottom", "bottom_options", BOTTOMS),
    ("arrangement", None, ARRANGEMENTS),
)


def model_differences(today: ModelSettings, base: ModelSettings) -> list[str]:
    """Parts and options that are others; what only steps depend on, dropout, may be another.

    Args:
        today: of the model to train.
        base: of the base model.

    Returns:
        One sentence each, beginning with the key.
    """
    problems = []
    if today.embedding_size != base.embedding_size:
        problems.append(_other("model.embedding_size", today.embedding_size, base.embedding_size))
    for key, options_key, registry in _PARTS:
        names = getattr(today, key), getattr(base, key)
        if names[0] != names[1]:
            problems.append(_other(f"model.{key}", *names))
        elif options_key is not None:
            options = [
                _options(registry, names[0], getattr(one, options_key)) for one in (today, base)
            ]
            problems += [
                _other(f"model.{options_key}.{name}", value, options[1].get(name))
                for name, value in options[0].items()
                if value != options[1].get(name) and "dropout" not in name
            ]
    return problems


def contract_differences(today: DataContract, base: DataContract) -> list[str]:
    """Features and tasks that are others; vocabularies, columns and domains may be.

    Args:
        today: contract of the model to train.
        base: of the base model.

    Returns:
        One sentence each, beginning with the key.
    """
    problems = _of_names("features", _read(today), _read(base), "read")
    problems += _of_names("tasks", list(today.tasks), list(base.tasks), "predict")
    for name in _read(today):
        if (name in base.features or name in base.crosses) and _form(today, name) != _form(
            base, name
        ):
            problems.append(_other(f"features.{name}", _form(today, name), _form(base, name)))
    for name, task in today.tasks.items():
        if name in base.tasks:
            problems += [
                _other(f"tasks.{name}.{key}", getattr(task, key), getattr(base.tasks[name], key))
                for key in ("after", "population", "kind", "loss")
                if getattr(task, key) != getattr(base.tasks[name], key)
            ]
            if Condition in {type(task.label), type(base.tasks[name].label)}:
                words = task.label_key, base.tasks[name].label_key
                problems += [_other(f"tasks.{name}.label", *words)] if words[0] != words[1] else []
    kept = [{task.name: task.kept_negatives for task in one.task_specs} for one in (today, base)]
    problems += [
        f"tasks.{name} has a logit of rows of which {share:g} of the negatives are drawn "
        f"(sampling.correction: logit), that of the base model {kept[1][name]:g}: draw as before"
        for name, share in kept[0].items()
        if name in kept[1] and share != kept[1][name]
    ]
    if today.target_item != base.target_item:
        problems.append(_other("target_item", today.target_item, base.target_item))
    return problems


def weight_changes(today: DataContract, base: DataContract) -> list[str]:
    """What rows counted for when the base model was trained, where that is another thing today.

    A sentence each; none keeps from a warm start, since weights are no part of a model.
    """
    pairs: list[tuple[str, Settings | None, Settings | None]] = [
        ("data.weight", today.weight, base.weight)
    ]
    pairs += [
        (f"tasks.{name}.weight", task.weight, base.tasks[name].weight)
        for name, task in today.tasks.items()
        if name in base.tasks
    ]
    pairs.append(("sampling", today.sampling, base.sampling))
    shown = [
        (key, *("none" if one is None else json.dumps(one.model_dump()) for one in (now, before)))
        for key, now, before in pairs
        if now != before
    ]
    return [
        f"{key} is {now}; the base model was trained with {before}." for key, now, before in shown
    ]


def _other(key: str, today: Any, base: Any) -> str:
    return f"{key} is {_shown(today)}, that of the base model {_shown(base)}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _options(registry: Registry, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """All options with their values, as JSON has them."""
    defaults = {key: parameter.default for key, parameter in registry.options(name).items()}
    found: dict[str, Any] = pydantic_core.to_jsonable_python(
        {**defaults, **registry.validate(name, options)}
    )
    return found


def _read(contract: DataContract) -> list[str]:
    """Features and crosses that a model reads, in its order."""
    features = [name for name, feature in contract.features.items() if feature.is_read]
    return [*features, *contract.crosses]


def _of_names(key: str, today: list[str], base: list[str], verb: str) -> list[str]:
    problems = [
        f"{key}.{name} is new: the base model does not {verb} it" for name in _but(today, base)
    ]
    problems += [
        f"{key} lacks {name!r}, which the base model {verb}s" for name in _but(base, today)
    ]
    if not problems and today != base:
        problems.append(
            f"{key} stand in another order: {', '.join(today)}; those of the base model: "
            f"{', '.join(base)}"
        )
    return problems


def _but(some: list[str], others: list[str]) -> Iterator[str]:
    return (name for name in some if name not in others)


def _form(contract: DataContract, name: str) -> str:
    """What a feature is to the model."""
    return (
        contract.features[name].form if name in contract.features else contract.crosses[name].form
    )
