"""``mtlx`` with all its commands: those of `mtlx.pipeline.command_line` and the cluster's."""

import sys
from collections.abc import Sequence

from mtlx.kubeflow.commands import COMMANDS
from mtlx.pipeline import command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; see `mtlx.pipeline.command_line.main`."""
    return command_line.main(arguments, COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
