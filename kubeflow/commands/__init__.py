"""The cluster's commands of ``mtlx``, one file each, registered here."""

COMMANDS = ()
