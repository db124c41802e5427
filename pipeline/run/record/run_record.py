"""What a run keeps of itself: the experiment as it was run, versions, git revision, metrics."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.record.revision import git_revision
from mtlx.pipeline.run.record.secrets import KeptSecrets

if TYPE_CHECKING:  # TFMA takes seconds to import, and the record is begun before.
    from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults

#: In the run's folder: the settings as they were run, an experiment file of its own.
EXPERIMENT_FILE = "experiment.yaml"
#: Beside it: the file that was given, to the letter.
GIVEN_FILE = "experiment.given.yaml"

#: Distributions whose versions decide what a run gives.
_DISTRIBUTIONS = (
    "mtlx", "tensorflow", "keras", "tfx", "tensorflow-transform", "tensorflow-model-analysis",
    "apache-beam", "ml-metadata", "numpy", "pandas", "pyarrow", "lightgbm",
)  # fmt: skip
#: More entries would make run.json a file that nobody opens.
_MOST_METRICS = 1000


@dataclass(frozen=True)
class ExperimentSource:
    """Where an experiment came from.

    Attributes:
        path: of the experiment file.
        text: its content.
        overrides: the ``section.key=value`` of the command line.
    """

    path: str
    text: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: str, overrides: Sequence[str] = ()) -> "ExperimentSource":
        """Reads a file that is known to be an experiment file."""
        text = Path(path).read_text(encoding="utf-8")
        return cls(str(Path(path).resolve()), text, tuple(overrides))


def keep_experiment(folder: Path, experiment: Experiment, source: ExperimentSource | None) -> None:
    """Writes the experiment into a run's folder.

    Args:
        folder: of the run.
        experiment: as it is run, with all overrides; ``mtlx run`` on the file that is written
            here runs the same.
        source: where it came from; None for one that was built in a program.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secrets = KeptSecrets(experiment)
    settings = secrets.replaced(experiment.anchored().model_dump(mode="json", exclude_unset=True))
    first = {name: settings[name] for name in ("name", "data")}
    text = yaml.safe_dump({**first, **settings}, sort_keys=False, allow_unicode=True, width=100)
    header = secrets.taken_out_of(_header(source))
    (folder / EXPERIMENT_FILE).write_text(header + text, encoding="utf-8")
    if source is not None:
        (folder / GIVEN_FILE).write_text(secrets.taken_out_of(source.text), encoding="utf-8")


def describe_run(experiment: Experiment, source: ExperimentSource | None) -> dict[str, Any]:
    """What a run was made of and with.

    Args:
        experiment: as it is run.
        source: where it came from; None for one that was built in a program.

    Returns:
        For ``run.json``: ``name``, ``model`` (the network and, where one is named, the training
        method), ``experiment`` (file, its digest, overrides), ``seeds``, ``versions`` and ``git``
        (revision of the experiment file's folder, and whether something there was changed; None
        outside of a repository).
    """
    given = None
    if source is not None:
        digest = hashlib.sha256(source.text.encode()).hexdigest()
        secrets = KeptSecrets(experiment)
        overrides = [secrets.taken_out_of(text) for text in source.overrides]
        given = {"file": source.path, "sha256": digest, "overrides": overrides}
    seeds = {"candidate": experiment.training.seed}
    if experiment.gate.reference is not None:
        seeds["reference"] = experiment.reference_training.seed
    method = experiment.training.method
    return {
        "name": experiment.name,
        "model": experiment.model.network + (f", {method}" if method else ""),
        "experiment": given,
        "seeds": seeds,
        "versions": _versions(),
        "git": git_revision(Path(source.path).parent) if source else None,
    }


def metrics_record(results: "SliceResults") -> dict[str, Any]:
    """Metrics and comparisons for ``run.json``, overall first.

    Returns:
        ``metrics`` and ``comparisons``, one mapping per task, slice and model,
        ``metrics_left_out``, how many more the evaluation's own files hold,
        ``metrics_notices``, what a person has to know of the rows and the intervals, and
        ``measured``, the metrics' names.
    """
    metrics = [_entry(metric) for metric in results.metrics]
    comparisons = [_entry(comparison) for comparison in results.comparisons]
    left_out = len(metrics[_MOST_METRICS:]) + len(comparisons[_MOST_METRICS:])
    return {
        "metrics": metrics[:_MOST_METRICS],
        "comparisons": comparisons[:_MOST_METRICS],
        "metrics_left_out": left_out,
        "metrics_notices": list(results.notices),
        "measured": list(results.measured),
    }


def _entry(entry: "SliceMetrics | Comparison") -> dict[str, Any]:
    """Flat: ``gauc``, ``gauc_lower``, ``gauc_upper``; behind ``_difference`` of a comparison."""
    # Bounds at other levels than the evaluation's are in its own files.
    own = {
        field.name: getattr(entry, field.name)
        for field in fields(entry)
        if not field.name.endswith("_curve")
    }
    maps = {name: own.pop(name, {}) for name in ("values", "differences", "relative")}
    own.pop("left_out", None)
    further: dict[str, float] = {}
    for suffix, estimates in zip(("", "_difference", "_relaimp"), maps.values(), strict=True):
        for name, estimate in estimates.items():
            parts = {"": estimate.value, "_lower": estimate.lower, "_upper": estimate.upper}
            further |= {
                f"{name}{suffix}{part}": number
                for part, number in parts.items()
                if number is not None
            }
    return further | {"slice": entry.slice} | own


def _header(source: ExperimentSource | None) -> str:
    if source is None:
        return "# The experiment as it was run.\n"
    overrides = "".join(f" --set {json.dumps(override)}" for override in source.overrides)
    return f"# The experiment as it was run: {json.dumps(source.path)}{overrides}\n"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # Run from a source tree, or without an optional library.
    return versions
