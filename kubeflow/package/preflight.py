"""What of a cluster's run can be known to be wrong here, before TensorFlow is loaded."""

from mtlx.kubeflow.package.cluster_experiment import cluster_experiment
from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.pipeline.preflight.preflight import preflight


def preflight_on_cluster(experiment: Experiment, source: str) -> None:
    """Refuses wrong settings of the cluster, unknown names, and files that are seen from here too.

    Args:
        experiment: the validated experiment file.
        source: the file's path, for messages.

    Raises:
        ExperimentFileError: lists every problem.
    """
    try:
        cluster = cluster_experiment(experiment)
    except PackageRefused as error:
        problems = "\n".join(f"{source}: {problem}" for problem in error.problems)
        raise ExperimentFileError(f"{source}: nothing written\n{problems}") from error
    preflight(cluster, source, outputs=False, must_exist=False)
