"""What an experiment file can name: every registered member with its options, every preset."""

import inspect
import textwrap
from collections.abc import Mapping

import yaml

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.relaimp_gate.rules import RULES
from mtlx.pipeline.catalogue.parameter_count import COUNTED, count_parameters, with_part
from mtlx.pipeline.catalogue.type_words import type_words
from mtlx.pipeline.catalogue.yaml_example import yaml_example
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.presets import preset_names, preset_text, read_preset
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.optimization.schedules import SCHEDULES
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.transform.config.names import suggest
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError

#: Registries by the setting that takes their members.
REGISTRIES: tuple[tuple[str, Registry], ...] = (
    ("data.reader", READERS),
    ("model.network", NETWORKS),
    ("model.sequence_encoder", SEQUENCE_ENCODERS),
    ("model.bottom", BOTTOMS),
    ("model.arrangement", ARRANGEMENTS),
    ("interactions (of a network)", INTERACTIONS),
    ("training.method", TRAINING_METHODS),
    ("training.loss", LOSSES),
    ("training.schedule", SCHEDULES),
    ("gate.thresholds.rule", RULES),
)


def listing() -> str:
    """All names, by the setting that takes them."""
    lines = [f"{setting}: {', '.join(registry)}" for setting, registry in REGISTRIES]
    return "\n".join([*lines, f"model.preset: {', '.join(preset_names())}"])


def describe(name: str) -> str:
    """Documentation, options with types and defaults, and YAML of all that bears a name.

    Raises:
        SettingsError: nothing is registered under this name.
    """
    texts = [_member(setting, registry, name) for setting, registry in _named(name)]
    if name in preset_names():
        texts.append(_preset(name))
    return "\n\n\n".join(texts)


def count(name: str, experiment: Experiment, vocabulary: int) -> str:
    """The number of parameters of all that bears a name, for an experiment's data contract.

    A part of a model is counted, with its default options, in the experiment's own model, in the
    place of what it has there; a preset is a whole model.

    Args:
        name: of a network, an encoder, a bottom, an arrangement or a preset.
        experiment: gives features, tasks and domains, and the other parts.
        vocabulary: assumed number of values of every feature that has a vocabulary.

    Raises:
        SettingsError: nothing is registered under this name, or nothing that can be counted; or
            the model can't be built.
    """
    models = {
        setting: with_part(experiment.model, setting, name)
        for setting, _ in _named(name)
        if setting in COUNTED
    }
    if name in preset_names():
        models["model.preset"] = ModelSettings.read(read_preset(name).model)
    if not models:
        settings = ", ".join([*COUNTED, "model.preset"])
        text = f"{name!r} has no parameters to count; name a member of {settings}"
        raise SettingsError([((), text)])
    return "\n".join(
        f"{name} ({setting}): {count_parameters(experiment, model, vocabulary)}"
        for setting, model in models.items()
    )


def _named(name: str) -> list[tuple[str, Registry]]:
    """The registries that hold a name; none for the name of a preset alone."""
    found = [(setting, registry) for setting, registry in REGISTRIES if name in registry]
    if not found and name not in preset_names():
        known = {member for _, registry in REGISTRIES for member in registry} | set(preset_names())
        raise SettingsError([((), f"nothing is registered as {name!r}, {suggest(name, known)}")])
    return found


def _member(setting: str, registry: Registry, name: str) -> str:
    lines = [f"{name} ({setting})", "", inspect.getdoc(registry.get(name)) or "", ""]
    options = registry.options(name).values()
    if options:
        meanings = registry.shared_options
        lines += ["Options:", *(_option(option, meanings) for option in options), ""]
    return "\n".join([*lines, "Example:", _indented(yaml_example(setting, registry, name))])


def _preset(name: str) -> str:
    """Paper and equations, and the file's other sections as they stand there."""
    paper, text = read_preset(name).paper, preset_text(name)
    lines = [
        f"{name} (model.preset)",
        "",
        f"{paper.authors}: {paper.title} ({paper.year}). Named by: {paper.named_by}.",
        "",
        _indented(paper.equations),
        "",
        *_where_from(paper.numbers),
        "Example, the preset by its name:",
        _indented(yaml.safe_dump({"model": {"preset": name}})),
        "",
        "Example, what it stands for:",
        _indented(text[text.index("\nmodel:") + 1 :]),
    ]
    return "\n".join(lines)


def _where_from(numbers: Mapping[str, list[str]]) -> list[str]:
    """Which settings are the paper's, and which are ours."""
    if not numbers:
        return []
    lines = [f"{source}: {', '.join(paths)}." for source, paths in numbers.items()]
    return ["Where its settings are from:", *map(_indented, lines), ""]


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip(), "  ")


def _option(parameter: inspect.Parameter, meanings: Mapping[str, str]) -> str:
    """One line: name, type and default value; the meaning where the member does not tell it."""
    line = f"  {parameter.name}: {type_words(parameter.annotation)}"
    required = parameter.default is inspect.Parameter.empty
    line += ", required" if required else f", {parameter.default!r} by default"
    return f"{line}; {meanings[parameter.name]}" if parameter.name in meanings else line
