"""Whether those can be told of a run's end that an experiment names."""

import os
import shutil

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.notify.settings import web_address
from mtlx.pipeline.tracking.mlflow_tracking import mlflow_problem


def telling_problems(experiment: Experiment) -> list[str]:
    """What would keep a run's end from being told, as far as it can be known before the run.

    Returns:
        One sentence per problem, beginning with the key; none holds the address of a webhook.
    """
    problems = []
    notify = experiment.notify
    if notify.command and not _program(notify.command[0], experiment.folder):
        problems.append(
            f"notify.command: there is no program {notify.command[0]!r} that can be started: give "
            "its path (a relative one starts from the experiment file's folder)"
        )
    if notify.variable is not None:
        address = os.environ.get(notify.variable)
        if not address:
            problems.append(
                f"notify.webhook: the environment variable {notify.variable} is not set: set it "
                "to the webhook's address"
            )
        elif not web_address(address):
            problems.append(
                f"notify.webhook: the environment variable {notify.variable} holds no address "
                "that begins with https:// or http://"
            )
    problem = mlflow_problem(experiment.tracking)
    return [*problems, problem] if problem else problems


def _program(name: str, folder: str | None) -> bool:
    """Whether a program can be started from a folder."""
    path = os.path.join(folder or "", name) if os.path.dirname(name) else name
    return shutil.which(path) is not None
