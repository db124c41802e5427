"""The ways to train that a replay compares."""

import enum
import json
from collections.abc import Sequence
from pathlib import Path

from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.notify.settings import NotifySettings
from mtlx.pipeline.tracking.settings import TrackingSettings


class Way(str, enum.Enum):
    """How the model of each day comes about."""

    #: As the experiment file says.
    AS_WRITTEN = "as_written"
    #: Every day from random weights, on the whole window.
    FROM_SCRATCH = "from_scratch"
    #: As the file's `training.warm_start` says; where it says nothing, on unseen spans.
    WARM_START = "warm_start"
    #: The first day's model, every day: nothing is trained for it.
    STALE = "stale"

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("_", " ")

    @classmethod
    def read(cls, text: str) -> list["Way"]:
        """Takes ``from_scratch,warm_start,stale`` apart.

        Raises:
            ValueError: an unknown way, none that trains, or one twice.
        """
        names = [name.strip() for name in text.split(",")]
        known = [way.value for way in cls]
        wrong = [name for name in names if name not in known]
        if wrong:
            raise ValueError(f"--compare: {', '.join(wrong)}: choose among {', '.join(known)}")
        if len(set(names)) < len(names):
            raise ValueError(f"--compare: each way once. Received: {text}")
        ways = [cls(name) for name in names]
        if ways == [cls.STALE]:
            raise ValueError(
                "--compare: stale keeps the first day's model of another way: name that as well, "
                "such as from_scratch,stale"
            )
        return ways


def experiment_of(
    way: Way,
    folder: Path,
    path: str,
    overrides: Sequence[str] = (),
    data_root: str | None = None,
    span: int | str | None = None,
) -> tuple[Experiment, tuple[str, ...]]:
    """The experiment as a way runs it, in a pipeline root and a serving folder of its own.

    Nobody is told of its runs, and no tracking server notes them.

    Args:
        way: that trains.
        folder: of the way's artifacts and models.
        path: of the experiment file, as the next two.
        overrides: of the command line.
        data_root: folder for relative data paths.
        span: the newest span; None for whichever there is.

    Returns:
        The experiment, and all settings that replace those of the file.

    Raises:
        ExperimentFileError: the file, or what the way makes of it, is wrong.
    """
    written = checked_experiment(path, overrides, data_root)
    own = settings_of(way, written, folder, overrides, span)
    return untold(checked_experiment(path, own, data_root)), own


def untold(experiment: Experiment) -> Experiment:
    """The experiment without anybody who is told of its runs, or notes them."""
    quiet = {"notify": NotifySettings(), "tracking": TrackingSettings()}
    return experiment.model_copy(update=quiet)


def settings_of(
    way: Way,
    written: Experiment,
    folder: Path,
    overrides: Sequence[str] = (),
    span: int | str | None = None,
) -> tuple[str, ...]:
    """All settings that replace those of the file where a way runs it.

    Args:
        way: that trains.
        written: the experiment with the overrides of the command line.
        folder: of the way's artifacts and models.
        overrides: of the command line.
        span: the newest span; None for whichever there is.
    """
    own = [*overrides, f"run.pipeline_root={json.dumps(str(folder / 'root'))}", "run.cache=true"]
    if written.serving.push_to is not None:
        own.append(f"serving.push_to={json.dumps(str(folder / 'serving'))}")
    if way is Way.FROM_SCRATCH:
        own += ["training.warm_start=null", "transform.reuse=null"]
    elif way is Way.WARM_START and written.training.warm_start is None:
        own.append("training.warm_start=incremental")
    if written.data.serving_path is not None:  # The replay's models served nobody.
        own.append("data.serving_path=null")
    if span is not None:
        own.append(f"data.span={span}")
    return tuple(own)
