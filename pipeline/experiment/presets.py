"""Presets: expands ``preset: NAME`` of an experiment file to the settings that it stands for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mtlx.trainer.presets
from mtlx.pipeline.experiment.experiment_yaml import parse_yaml
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings, SettingsError

_FOLDER = Path(mtlx.trainer.presets.__file__).parent

#: Options of `model`, and the setting that names the member which they belong to.
_MODEL_OPTIONS = {
    "options": ("network", None),
    "sequence_options": ("sequence_encoder", "mean_pooling"),
    "bottom_options": ("bottom", "none"),
}
#: The same of `training`.
_TRAINING_OPTIONS = {"method_options": ("method", None)}

#: Settings whose value is a registered name.
_MEMBERS = ("name", "network", "sequence_encoder", "bottom", "arrangement", "method")

#: What of a preset's `training` belongs to the system itself, and what stands for its absence.
_OF_THE_SYSTEM: dict[str, Any] = {"method": None, "method_options": {}, "loss": None}


class Paper(Settings):
    """Where a system comes from.

    Attributes:
        authors: of the paper that has introduced it.
        title: of that paper.
        year: of that paper.
        equations: what the system computes, in the notation of the networks' docstrings.
        named_by: the tables that it stands in, and what is not the papers' in the settings.
        numbers: source to what it says: paths of settings (``model.options.experts``; of a list
            of members by their names, ``model.options.interactions.gdcn``), each with all
            below it but what a longer path has. ``ours`` is the source of what no paper or
            released code gives. What the file does not set is the default of its class.
    """

    authors: str
    title: str
    year: int
    equations: str
    named_by: str
    numbers: dict[str, list[str]]


class Preset(Settings):
    """A system of the papers.

    Attributes:
        paper: where it comes from.
        model: its `model` section.
        training: settings of `training` that its paper has; {} where none is known.
    """

    paper: Paper
    model: dict[str, Any]
    training: dict[str, Any] = {}

    def source_of(self, path: str) -> str | None:
        """Where the setting of a path is from: the source that names it most exactly, or None."""
        named = [
            (len(prefix), source)
            for source, prefixes in self.paper.numbers.items()
            for prefix in prefixes
            if path == prefix or path.startswith(f"{prefix}.")
        ]
        return max(named)[1] if named else None

    def number_paths(self) -> list[str]:
        """Paths of all settings but the names of members, which are the system itself."""
        settings = {"model": self.model, "training": self.training}
        return [path for path in _leaves(settings) if path.split(".")[-1] not in _MEMBERS]


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of what is no mapping, nor a list of mappings, whose items count by their names."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        value = {str(item.get("name", place)): item for place, item in enumerate(value)}
    if not isinstance(value, Mapping):
        yield path
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{path}.{key}" if path else str(key))


def preset_names() -> list[str]:
    """The names of all presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def preset_text(name: str) -> str:
    """The file of a preset.

    Raises:
        SettingsError: there is no such preset; the nearest one is named.
    """
    names = preset_names()
    if name not in names:
        raise SettingsError([((), f"unknown preset {name!r}, {suggest(str(name), names)}")])
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def read_preset(name: str) -> Preset:
    """Reads a preset.

    Raises:
        SettingsError: there is no such preset; the nearest one is named.
    """
    return Preset.read(parse_yaml(preset_text(name)).values)


def expand_presets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Puts what the presets stand for under the settings of an experiment file.

    The user's own keys win; options are merged one by one, unless the user names another member
    than the preset. The candidate's preset brings its settings of `training` too, for candidate
    and reference alike, but for its method and losses. A reference's preset brings its model, and
    its method and losses: without them it would be another system. What only one of the two has,
    stands in `gate.reference_training`.

    Args:
        values: the file's sections, as YAML has them.

    Returns:
        The sections without ``preset``; those that are no mappings stay as they are.

    Raises:
        SettingsError: an unknown preset; its key path is that of the ``preset``.
    """
    expanded = dict(values)
    candidate = _preset_of(values.get("model"), ("model",))
    if candidate is not None:
        expanded["model"] = _model(candidate, values["model"])
        own = values.get("training") or {}
        if isinstance(own, Mapping):
            expanded["training"] = _under(candidate.training, own, _TRAINING_OPTIONS)
    gate = values.get("gate")
    if isinstance(gate, Mapping) and gate.get("reference") is not None:
        expanded["gate"] = _gate(gate, candidate, values.get("training"))
    return expanded


def _gate(gate: Mapping[str, Any], candidate: Preset | None, training: Any) -> dict[str, Any]:
    """The gate's section with the reference's preset, and what the reference trains by."""
    reference = _preset_of(gate["reference"], ("gate", "reference"))
    of_training: dict[str, Any] = {}
    if candidate is not None:
        # What the file itself says of training is meant for both.
        said = training if isinstance(training, Mapping) else {}
        if "method" not in said and "method" in candidate.training:
            of_training |= {"method": None, "method_options": {}}
        if "loss" not in said and "loss" in candidate.training:
            of_training["loss"] = None
    expanded = dict(gate)
    if reference is not None:
        expanded["reference"] = _model(reference, gate["reference"])
        if _OF_THE_SYSTEM.keys() & reference.training.keys():
            of_training = {
                key: reference.training.get(key, nothing) for key, nothing in _OF_THE_SYSTEM.items()
            }
    own = gate.get("reference_training") or {}
    if of_training and isinstance(own, Mapping):
        expanded["reference_training"] = _under(of_training, own, _TRAINING_OPTIONS)
    return expanded


def _preset_of(section: Any, path: tuple[str, ...]) -> Preset | None:
    if not isinstance(section, Mapping) or "preset" not in section:
        return None
    try:
        return read_preset(section["preset"])
    except SettingsError as error:
        raise SettingsError(
            [((*path, "preset"), message) for _, message in error.problems]
        ) from None


def _model(preset: Preset, section: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in section.items() if key != "preset"}
    return _under(preset.model, own, _MODEL_OPTIONS)


def _under(
    preset: Mapping[str, Any],
    own: Mapping[str, Any],
    options: Mapping[str, tuple[str, str | None]],
) -> dict[str, Any]:
    """The preset's settings under the user's; options only where both name the same member."""
    merged = {**preset, **own}
    for key, (setting, default) in options.items():
        same = merged.get(setting, default) == preset.get(setting, default)
        theirs, ours = preset.get(key) if same else None, own.get(key)
        if isinstance(theirs, Mapping) and isinstance(ours or {}, Mapping):
            merged[key] = {**theirs, **(ours or {})}
        elif not same and key in preset and key not in own:
            del merged[key]
    return merged
