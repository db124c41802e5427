"""The cluster's commands of ``mtlx``, one file each, registered here."""

from kubeflow.commands.submit import COMMAND as SUBMIT

COMMANDS = (SUBMIT,)
