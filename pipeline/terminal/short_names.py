"""Names that fit a table: cut in the middle, and numbered where they were cut."""

from rich.cells import cell_len, set_cell_size

#: What stands for the part that was cut out.
_GAP = "…"


class ShortNames:
    """Cuts names that are too long; no two cut names look alike, since each has a number.

    Args:
        width: of a short name at most, in columns of a terminal: some scripts take two a character.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._numbers: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """Returns the name, or its beginning and end around a gap, and its number."""
        if cell_len(name) <= self._width:
            return name
        number = f" [{self._numbers.setdefault(name, len(self._numbers) + 1)}]"
        room = max(self._width - len(number) - len(_GAP), 2)
        head = (room + 1) // 2
        end = set_cell_size(name[::-1], room - head)[::-1]
        return f"{set_cell_size(name, head)}{_GAP}{end}{number}"

    @property
    def legend(self) -> list[str]:
        """The whole names by number, ``[1] a_name_that_was_too_long``."""
        return [f"[{number}] {name}" for name, number in self._numbers.items()]
