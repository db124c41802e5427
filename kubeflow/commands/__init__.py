"""The cluster's commands of ``mtlx``, one file each, registered here."""

from kubeflow.commands import compile

COMMANDS = (compile.COMMAND,)
