"""The settings that a search varies, and what it may give each of them."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, named_place
from mtlx.pipeline.experiment.search_settings import Dimension
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError

#: The experiment with these settings, as for ``--set``: raises `ExperimentFileError` where it is
#: none.
Check = Callable[[Sequence[str]], Experiment]

_SECTIONS = ("model", "training")
#: Settings that all trials share, and why.
_SHARED = {
    "training.seed": "it says how far chance goes, not what is good; see --seeds",
    "training.repeats": "each trial is one training; see --seeds",
    "training.select_by": "trials are compared by it",
    "training.task_weights": "trials are compared by them, where training.select_by has none",
    "training.warm_start": "trials begin with random weights",
    "training.cache": "no result depends on it",
    "training.embeddings.shard": "no result depends on it",
    "training.checkpoint_every_steps": "no result depends on it",
}
#: Digits of the numbers that are tried: more say nothing, and less is to be typed.
_DIGITS = 4
#: More values of one setting than these are not gone through one by one.
_MANY = 10_000


def read_space(
    path: str, given: Sequence[str], search: Mapping[str, Dimension], check: Check, options: bool
) -> "Space":
    """The space of an experiment's `search`; what is wrong with it is named with its place.

    Args:
        path: of the experiment file, as the next one.
        given: ``--set`` of the command line.
        search: as for `Space.read`, as the next two.
        check: of settings beside those.
        options: whether models' classes are asked.

    Raises:
        ExperimentFileError: see `Space.read`.
    """
    try:
        return Space.read(search, check, options)
    except SettingsError as error:
        texts = [named_place(path, given, *problem) for problem in error.problems]
        raise ExperimentFileError("\n".join(texts)) from None


def refuse(name: str, text: str) -> SettingsError:
    """What is wrong with a setting of a search."""
    return SettingsError([(("search", name), text)])


def as_override(name: str, value: Any) -> str:
    """A setting as for ``--set``; 1e-05 is a text in YAML, and 1.0e-05 a number."""
    text = yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False)
    return f"{name}={text.removesuffix('...' + chr(10)).strip()}"


@dataclass(frozen=True)
class Axis:
    """One setting of a search.

    Attributes:
        dimension: what it is varied between.
        whole: whether it takes whole numbers alone.
    """

    dimension: Dimension
    whole: bool = False

    @property
    def choices(self) -> list[Any] | None:
        """All values that it may have, where they are few; None where there is no end of them."""
        if self.dimension.choices is not None:
            return list(self.dimension.choices)
        low, high = self.ends
        if not self.whole and self.dimension.step is None:
            return None
        count = self._steps + 1 if self.dimension.step is not None else int(high - low) + 1
        if count > _MANY:
            return None
        if self.dimension.step is not None:
            return [self._stepped(place) for place in range(count)]
        return [int(low) + place for place in range(count)]

    @property
    def ends(self) -> tuple[int | float, int | float]:
        """The lowest and the highest value; not of choices."""
        bounds = self.dimension.bounds
        assert bounds is not None
        return (bounds[0], self._stepped(self._steps)) if self.dimension.step else bounds

    def taken(self, value: float) -> int | float:
        """A suggested number as it is tried."""
        low, high = self.ends
        if self.whole:
            return round(value)
        if self.dimension.step is not None:
            return self._stepped(round((value - low) / self.dimension.step))
        return min(max(float(f"{value:.{_DIGITS}g}"), float(low)), float(high))

    def has(self, value: Any) -> bool:
        """Whether it may have a value."""
        choices = self.choices
        if choices is not None:
            return json.dumps(value, sort_keys=True) in [
                json.dumps(one, sort_keys=True) for one in choices
            ]
        low, high = self.ends
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.whole and not isinstance(value, int):
            return False
        return is_number and low <= value <= high

    @property
    def words(self) -> str:
        """What it is varied between, for people."""
        if self.dimension.choices is not None:
            return ", ".join(shown(one) for one in self.dimension.choices)
        low, high = self.ends
        kind = "whole numbers from" if self.whole else "from"
        how = ", by orders of magnitude" if self.dimension.log else ""
        how += f", in steps of {shown(self.dimension.step)}" if self.dimension.step else ""
        return f"{kind} {shown(low)} to {shown(high)}{how}"

    @property
    def _steps(self) -> int:
        bounds, step = self.dimension.bounds, self.dimension.step
        assert bounds is not None and step is not None
        return math.floor((bounds[1] - bounds[0]) / step + 1e-9)

    def _stepped(self, place: int) -> int | float:
        bounds, step = self.dimension.bounds, self.dimension.step
        assert bounds is not None and step is not None
        found = bounds[0] + place * step
        return found if isinstance(found, int) else float(f"{found:.12g}")


@dataclass(frozen=True)
class Space:
    """All that a search may try.

    Attributes:
        axes: by the name of the setting.
    """

    axes: Mapping[str, Axis]

    @classmethod
    def read(cls, search: Mapping[str, Dimension], check: Check, options: bool = True) -> "Space":
        """The space of an experiment's `search`, each end and each choice of it looked at once.

        Args:
            search: of the experiment.
            check: says what an experiment with certain settings would be.
            options: whether `check` knows the options of models, too; without, whether a setting
                takes whole numbers alone is not asked, nor whether a model reads it.

        Raises:
            SettingsError: there is nothing to search, a setting is none or is not one of a trial,
                the experiment refuses a value, or no model of the space reads a setting.
        """
        if not search:
            text = (
                "says what is varied, and is not there or empty: give it in the experiment file, "
                "or --set 'search={training.learning_rate: {log: [0.0001, 0.01]}}'"
            )
            raise SettingsError([(("search",), text)])
        for name in search:
            _check_name(name)
        axes: dict[str, Axis] = {}
        experiments = [check(())]
        for name, dimension in search.items():
            values = dimension.choices or list(Axis(dimension).ends)
            experiments += [_check_value(name, value, check) for value in values]
            axes[name] = Axis(dimension, options and _is_whole(name, dimension, check))
        for name in axes if options else ():
            _check_is_read(name, search[name], experiments)
        return cls(axes)

    @property
    def size(self) -> int | None:
        """How many different trials there are; None where there is no end of them."""
        choices = [axis.choices for axis in self.axes.values()]
        return None if None in choices else math.prod(len(one or ()) for one in choices)

    def overrides(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The settings of a trial as for ``--set``; what lies below another comes after it."""
        return tuple(as_override(name, settings[name]) for name in sorted(settings))

    def has(self, settings: Mapping[str, Any]) -> bool:
        """Whether a trial may have these settings."""
        return settings.keys() == self.axes.keys() and all(
            axis.has(settings[name]) for name, axis in self.axes.items()
        )


def shown(value: Any) -> str:
    """A value for people."""
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return value if isinstance(value, str) else json.dumps(value)


def _check_name(name: str) -> None:
    section, _, below = name.partition(".")
    if section not in _SECTIONS or not below:
        raise refuse(
            name,
            "a search varies settings of model and training, such as training.learning_rate; all "
            f"others are the same for all trials, {suggest(section, _SECTIONS)}",
        )
    for shared, why in _SHARED.items():
        if name == shared or name.startswith(f"{shared}."):
            raise refuse(name, f"cannot be varied: {why}")


def _check_is_read(name: str, dimension: Dimension, experiments: Sequence[Experiment]) -> None:
    # Asks the models' classes, which only the rest of the check has imported.
    from mtlx.pipeline.tune.unread_settings import why_unread

    why = why_unread(name, experiments)
    if why is not None:
        given = dimension.model_dump(exclude_unset=True)
        raise refuse(name, f"{why}. Received: {json.dumps(given)}")


def _check_value(name: str, value: Any, check: Check) -> Experiment:
    override = as_override(name, value)
    try:
        return check([override])
    except (ExperimentFileError, SettingsError) as error:
        lines = [line.removeprefix(f"--set {override}: ") for line in str(error).splitlines()]
        raise refuse(name, f"{shown(value)} is refused: {'; '.join(lines)}") from None


def _is_whole(name: str, dimension: Dimension, check: Check) -> bool:
    """Whether a setting takes whole numbers alone: tried, since its type may be anywhere."""
    bounds = dimension.bounds
    if bounds is None or not all(isinstance(bound, int) for bound in bounds):
        return False
    if dimension.step is not None:
        return isinstance(dimension.step, int)
    try:
        check([as_override(name, bounds[0] + 0.5)])
    except (ExperimentFileError, SettingsError):
        return True
    return False
