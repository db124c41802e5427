"""A piece of YAML that names a registered member with all its options, to be pasted and changed."""

import inspect
from collections.abc import Callable
from typing import Any

import pydantic
import pydantic_core
import yaml

from mtlx.transform.config.registry import Registry

#: A network that all encoders, bottoms and arrangements fit.
_NETWORK = "mmoe"
#: Values of options without a default.
_REQUIRED = {"minimum": 0.6, "limit": 0.6, "metric": "rmse"}


def yaml_example(setting: str, registry: Registry, name: str) -> str:
    """The sections of an experiment file that name a member, with its options at their defaults.

    Args:
        setting: the setting that takes the member, as the catalogue calls it.
        registry: the member's.
        name: the member's.

    Returns:
        YAML; an option without a default has a value of `_REQUIRED` there.
    """
    values = _SECTIONS[setting](name, _defaults(registry, name))
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def yaml_line(value: Any) -> str:
    """A value in one line of YAML."""
    plain = pydantic.TypeAdapter(Any).dump_python(value, mode="json", exclude_defaults=True)
    text = yaml.safe_dump(plain, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _defaults(registry: Registry, name: str) -> dict[str, Any]:
    """The options with their default values, as YAML can hold them."""
    return {
        key: _REQUIRED[key]
        if parameter.default is inspect.Parameter.empty
        else pydantic_core.to_jsonable_python(parameter.default)
        for key, parameter in registry.options(name).items()
    }


def _with(values: dict[str, Any], key: str, options: dict[str, Any]) -> dict[str, Any]:
    """Values with the options under a key, where there are any."""
    return {**values, key: options} if options else values


def _interaction(name: str, options: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in options.items() if key != "units"}  # the network's to set
    return {"interaction": _with({"name": name}, "options", own)}


_SECTIONS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "data.reader": lambda name, options: {"data": _with({"reader": name}, "options", options)},
    "model.network": lambda name, options: {"model": _with({"network": name}, "options", options)},
    "model.sequence_encoder": lambda name, options: {
        "model": _with({"network": _NETWORK, "sequence_encoder": name}, "sequence_options", options)
    },
    "model.bottom": lambda name, options: {
        "model": _with({"network": _NETWORK, "bottom": name}, "bottom_options", options)
    },
    "model.arrangement": lambda name, options: {
        "model": {"network": _NETWORK, "arrangement": name}
    },
    "interactions (of a network)": lambda name, options: {
        "model": {"network": "sfm", "options": _interaction(name, options)}
    },
    "training.method": lambda name, options: {
        "training": _with({"method": name}, "method_options", options)
    },
    "training.loss": lambda name, options: {
        "training": {"loss": [_with({"name": name}, "options", options)]}
    },
    "training.schedule": lambda name, options: {
        "training": {"schedule": _with({"name": name}, "options", options), "patience": 5}
    },
    "gate.thresholds.rule": lambda name, options: {
        "gate": {"thresholds": [{"rule": name, "task": "*", "slice": "overall", **options}]}
    },
}


class _Dumper(yaml.SafeDumper):
    """Writes lists of scalars in one line, and items of other lists indented."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        """Represents one list."""
        plain = not any(isinstance(item, list | dict) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=plain)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        """Represents one mapping; an empty one in one line."""
        return super().represent_mapping(tag, mapping, flow_style=not mapping)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indents the items of a list below its key."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Writes what occurs twice twice."""
        return True
