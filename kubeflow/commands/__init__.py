"""The cluster's commands of ``mtlx``, one file each, registered here."""

from mtlx.kubeflow.commands import compile, rehearse, submit

COMMANDS = (compile.COMMAND, rehearse.COMMAND, submit.COMMAND)
