"""A model of a comparison: what it is called, and the settings that it stands for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlx.pipeline.experiment.experiment_yaml import parse_yaml, read_text
from mtlx.pipeline.experiment.presets import preset_names
from mtlx.trainer.networks import NETWORKS
from mtlx.transform.config.names import suggest

#: Names the candidate of the experiment file itself.
FILE = "file"
#: Before the name of a network that a preset has, too.
_NETWORK = "network"
#: Settings of `training` that belong to the file's own candidate, not to whom it is compared with.
_OF_THE_CANDIDATE = ("method", "method_options", "loss")


class UnknownModel(ValueError):
    """A model that is to be compared is none; the text names the nearest one."""


@dataclass(frozen=True)
class Contender:
    """One of the models.

    Attributes:
        label: what it is called in tables.
        name: a preset; or a network with its default options, as ``network:NAME`` where a preset
            has that name; or `FILE`.
        settings: ``key=value``, of `model` and `training`, that are its own.
    """

    label: str
    name: str
    settings: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Contender":
        """Of ``[LABEL=][network:]NAME[:KEY=VALUE]...``, such as ``slow=mmoe:training.seed=4``.

        Raises:
            UnknownModel: there is neither preset nor network of that name.
            ValueError: a setting is none of `model` or `training`, or the label is empty.
        """
        head, *settings = _apart(text.strip(), ":")
        if settings and head.rpartition("=")[2].strip() == _NETWORK:
            head = f"{head}:{settings.pop(0)}"
        label, equals, name = head.partition("=")
        name = name if equals else label
        known: set[str] = {*preset_names(), *NETWORKS, FILE}
        if name.startswith(f"{_NETWORK}:"):
            known = {f"{_NETWORK}:{network}" for network in NETWORKS}
        if name not in known:
            raise UnknownModel(f"--models: unknown model {name!r}, {suggest(name, known)}")
        for setting in settings:
            if not setting.startswith(("model.", "training.")) or "=" not in setting:
                raise ValueError(
                    f"--models {text.strip()}: expected model.KEY=VALUE or training.KEY=VALUE "
                    f"behind the colon. Received: {setting!r}"
                )
        if not label:
            raise ValueError(f"--models {text.strip()}: the label before '=' is empty")
        return cls(label, name, tuple(settings))

    def overrides(self, path: str | Path, given: Sequence[str]) -> tuple[str, ...]:
        """The settings that make the file's experiment one of this model.

        Of the file's `training` all holds for every model, but for the method, its options and the
        loss, which are the file's own candidate's.

        Args:
            path: of the experiment file.
            given: ``--set`` of the command line, which hold for every model.
        """
        if self.name == FILE:
            return (*given, *self.settings)
        kind = "preset" if self.name in preset_names() else _NETWORK
        name = self.name.removeprefix(f"{_NETWORK}:")
        written: Any = parse_yaml(read_text(path)).values.get("training") or {}
        shared = {key: value for key, value in written.items() if key not in _OF_THE_CANDIDATE}
        own = (f"model={json.dumps({kind: name})}", f"training={json.dumps(shared)}")
        return (*own, *given, *self.settings)


def read_contenders(text: str) -> list[Contender]:
    """The models of ``--models``, in the order in which they are named.

    Args:
        text: `Contender.read`, several with commas between them.

    Raises:
        UnknownModel: see `Contender.read`.
        ValueError: a label twice, or fewer than two models.
    """
    found = [Contender.read(one) for one in _apart(text, ",") if one.strip()]
    labels = [one.label for one in found]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ValueError(
            f"--models: {twice!r} stands there twice; give one of them a label, such as "
            f"again={twice}"
        )
    if len(found) < 2:
        raise ValueError(f"--models {text}: name two or more models, with commas between them")
    return found


def _apart(text: str, separator: str) -> list[str]:
    """Splits at a character outside of brackets, which lists and mappings of settings have."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == separator and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
