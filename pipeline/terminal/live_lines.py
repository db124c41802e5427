"""Lines of a terminal that stand below all others and change while something is at work."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.live import Live

_Self = TypeVar("_Self", bound="LiveLines")


class LiveLines(ABC):
    """A context in which `at_work` is shown again and again; where there is no terminal, never.

    A subclass makes its own state first: what is at work is asked for at once.

    Args:
        console: is printed on.
        per_second: how often it is shown.
    """

    def __init__(self, console: Console, per_second: float = 4.0):
        self._console = console
        self._live = Live(
            console=console,
            refresh_per_second=per_second,
            transient=True,
            get_renderable=self.at_work,
        )

    @abstractmethod
    def at_work(self) -> RenderableType:
        """What is at work just now, each on a line of its own."""

    @abstractmethod
    def end(self) -> None:
        """Forgets what was at work; called at the end, before the last look at it."""

    def __enter__(self: _Self) -> _Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self.end()
            self._live.stop()
