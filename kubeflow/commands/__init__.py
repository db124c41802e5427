"""The cluster's commands of ``mtlx``, one file each, registered here."""

from kubeflow.commands.rehearse import COMMAND as REHEARSE
from kubeflow.commands.submit import COMMAND as SUBMIT

COMMANDS = (REHEARSE, SUBMIT)
