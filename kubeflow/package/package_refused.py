"""Why an experiment gives no package."""

from collections.abc import Sequence


class PackageRefused(ValueError):
    """The experiment can't run on the cluster as it stands; nothing was written.

    Attributes:
        problems: one line each: key or place, what is wrong, remedy.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
