"""Why a task failed, where Kubernetes keeps a container's last word.

Argo puts it behind the exit code in the state of the task, which the run's page and the API show.
"""

from collections.abc import Mapping
from pathlib import Path

from absl import logging

#: Kubernetes makes it in every container, for all to write, and reads this much of it.
TERMINATION_LOG = Path("/dev/termination-log")
_LONGEST = 4096


def leave_word(environment: Mapping[str, str], message: str) -> None:
    """Leaves the message for the pod's state; only in a pod of Kubeflow Pipelines."""
    if not environment.get("KFP_POD_NAME"):
        return
    try:
        TERMINATION_LOG.write_bytes(message.encode()[:_LONGEST])
    except OSError as error:  # the log has the reason as well
        logging.warning("%s: the reason was not left there: %s", TERMINATION_LOG, error)
