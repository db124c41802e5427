"""All that is refused before TensorFlow is loaded."""

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.pipeline.preflight.log_files import log_problems
from mtlx.pipeline.preflight.places import input_problems, output_problems
from mtlx.pipeline.preflight.pretrained import pretrained_problems
from mtlx.pipeline.preflight.registered_names import name_problems
from mtlx.pipeline.preflight.serving_logs import serving_log_problems
from mtlx.pipeline.preflight.told import telling_problems


def preflight(
    experiment: Experiment,
    source: str,
    logs: bool = True,
    outputs: bool = True,
    must_exist: bool = True,
    told: bool | None = None,
) -> None:
    """Refuses what would stop a run, as far as it can be seen within a second.

    Args:
        experiment: the validated experiment file.
        source: the file's path, for messages.
        logs: look at the logs; another place than the experiment's may be read.
        outputs: look at the folders that are written to.
        must_exist: what is not there is wrong; else it is not seen from here, as on a cluster.
        told: look at those who are told of the end; as `outputs` if None.

    Raises:
        ExperimentFileError: lists every problem.
    """
    experiment = experiment.anchored()
    problems = name_problems(experiment)
    problems += input_problems(experiment, must_exist)
    problems += pretrained_problems(experiment, must_exist)
    if outputs:
        problems += output_problems(experiment)
    if outputs if told is None else told:
        problems += telling_problems(experiment)
    if logs and not any(problem.startswith("data.") for problem in problems):
        problems += log_problems(experiment, must_exist)
        problems += [] if problems else serving_log_problems(experiment, must_exist)
    if problems:
        raise ExperimentFileError("\n".join(f"{source}: {problem}" for problem in problems))
