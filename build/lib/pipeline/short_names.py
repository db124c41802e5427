"""Names that fit a table: cut in the middle, and numbered where they were cut."""

#: What stands for the part that was cut out.
_GAP = "…"


class ShortNames:
    """Cuts names that are too long; no two cut names look alike, since each has a number.

    Args:
        width: most characters of a short name.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._numbers: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """Returns the name, or its beginning and end around a gap, and its number."""
        if len(name) <= self._width:
            return name
        number = f" [{self._numbers.setdefault(name, len(self._numbers) + 1)}]"
        room = max(self._width - len(number) - len(_GAP), 2)
        head = (room + 1) // 2
        return f"{name[:head]}{_GAP}{name[len(name) - (room - head) :]}{number}"

    @property
    def legend(self) -> list[str]:
        """The whole names by number, ``[1] a_name_that_was_too_long``."""
        return [f"[{number}] {name}" for name, number in self._numbers.items()]
