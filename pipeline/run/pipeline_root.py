"""Where an experiment's artifacts and history lie on this machine."""

from pathlib import Path

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.run_folder import METADATA_FILE


def pipeline_root(experiment: Experiment) -> Path:
    """Folder of an experiment's artifacts, metadata and runs on this machine."""
    root = experiment.anchored().run.pipeline_root
    if root is None:
        raise ValueError("run.pipeline_root has no value")
    return Path(root).resolve()


def history_elsewhere(experiment: Experiment) -> str | None:
    """A line that says so where a root is new while another has the experiment's history.

    A relative root, and the default one, once started from the working directory.
    """
    root, written = pipeline_root(experiment), experiment.run.pipeline_root
    names = [f"var/pipelines/{experiment.name}", *([written] if written else [])]
    if "://" in str(written) or _has_history(root):
        return None
    for name in names:
        other = Path(name).resolve()
        if other != root and _has_history(other):
            return (
                f"New pipeline root: {root}. The runs and blessed models of {other} are not seen "
                f"from there; to go on with them: --set run.pipeline_root={other}"
            )
    return None


def _has_history(root: Path) -> bool:
    return (root / METADATA_FILE).exists()
