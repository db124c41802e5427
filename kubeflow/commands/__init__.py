"""The cluster's commands of ``mtlx``, one file each, registered here."""

from kubeflow.commands import compile, submit

COMMANDS = (compile.COMMAND, submit.COMMAND)
