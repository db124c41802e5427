"""Numbers of pushed versions: each larger than every one before, whatever the clock says."""

import re
from collections.abc import Iterable

#: The largest number that TensorFlow Serving reads.
_LARGEST = 2**63 - 1


class NoNumberLeft(ValueError):
    """The largest version has the largest number that there is."""


def version_numbers(names: Iterable[str]) -> dict[int, str]:
    """Names of folders that TensorFlow Serving takes for versions, by number.

    Args:
        names: of what lies in the serving folder; others are left out.
    """
    numbers = {int(name): name for name in names if re.fullmatch("[0-9]{1,19}", name)}
    return {number: name for number, name in numbers.items() if number <= _LARGEST}


def next_number(used: Iterable[int]) -> int:
    """The number after all that were ever used; time stamps are numbers as well.

    Raises:
        NoNumberLeft: there is none.
    """
    number = max(used, default=0) + 1
    if number > _LARGEST:
        raise NoNumberLeft(
            f"a version has the number {_LARGEST}, and no server reads a larger one: remove it"
        )
    return number
