"""What keeps a replay from beginning, as far as it can be seen before TensorFlow is loaded."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlx.components.log_example_gen.spans.span_marks import is_date, span_words
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.preflight.preflight import preflight
from mtlx.pipeline.replay.day_record import ReplayRecord
from mtlx.pipeline.replay.way import Way, settings_of, untold


class ReplayRefused(ValueError):
    """A replay cannot be begun, or gone on with; the text says why."""


def look(
    path: str,
    overrides: Sequence[str],
    data_root: str | None,
    folder: Path,
    ways: Sequence[Way],
    spans: Sequence[int],
) -> None:
    """Refuses what would end a replay on its first day that is not done.

    Args:
        path: of the experiment file, as the next two.
        overrides: ``section.key=value`` settings that replace the file's.
        data_root: folder for relative data paths.
        folder: of the replay.
        ways: to compare.
        spans: to run, ascending.

    Raises:
        ExperimentFileError: the file is wrong, or what it names is not there.
        ReplayRefused: the logs have no spans, or the folder holds a replay of something else.
        ValueError: the folder's record cannot be read.
    """
    folder = folder.resolve()
    written = read_experiment(path, overrides, data_root)
    if not any("{" in pattern for pattern in written.data.path):
        raise ReplayRefused(
            f"{path}: a replay needs logs in spans: put {{SPAN}}, or {{YYYY}}-{{MM}}-{{DD}}, "
            "into data.path"
        )
    record = ReplayRecord.read(folder)
    earlier = [Way(name) for name in record.days] if record else []
    trained = [way for way in dict.fromkeys([*ways, *earlier]) if way is not Way.STALE]
    date = is_date(written.data.path)

    def read(way: Way, span: str | None = None) -> Experiment:
        own = settings_of(way, written, folder / way.value, overrides, span)
        return untold(read_experiment(path, own, data_root))

    if record is not None:
        check_settings(record, folder, {way: read(way) for way in trained})
    for way in trained:
        done = record.days.get(way.value) if record else None
        # A later day that fails is noted, and the next one runs.
        preflight(read(way, span_words(spans[0], date)), path, logs=not done)


def check_settings(
    record: ReplayRecord, folder: Path, experiments: Mapping[Way, Experiment]
) -> None:
    """Notes the settings of ways that the record does not have, and compares those that it has.

    Args:
        record: of the replay.
        folder: in which it is.
        experiments: by way, as `mtlx.pipeline.replay.way.experiment_of` makes them.

    Raises:
        ReplayRefused: a way has other settings than those that it was run with.
    """
    for way, experiment in experiments.items():
        digest = hashlib.sha256(experiment.as_written().encode()).hexdigest()
        if record.settings.setdefault(way.value, digest) != digest:
            raise ReplayRefused(
                f"{folder} holds a replay with other settings ({way.words}): give "
                "another --out, or delete it"
            )
