import io
import time

import pytest
from rich.console import Console
from rich.text import Text

from mtlx.pipeline.terminal.live_lines import LiveLines


@pytest.fixture(autouse=True)
def terminal_of_today(monkeypatch):
    """A terminal that knows no codes, `TERM=dumb`, is shown no live lines."""
    monkeypatch.setenv("TERM", "xterm-256color")


class Counter(LiveLines):
    """Shows how many are at work."""

    def __init__(self, console):
        self.count = 3
        super().__init__(console, per_second=100.0)

    def at_work(self):
        return Text(f"{self.count} at work")

    def end(self):
        self.count = 0


@pytest.mark.parametrize("terminal", [True, False])
def test_lines_are_shown_on_a_terminal_only(terminal):
    output = io.StringIO()
    with Counter(Console(file=output, force_terminal=terminal)):
        ends = time.monotonic() + (10.0 if terminal else 0.1)
        while "3 at work" not in output.getvalue() and time.monotonic() < ends:
            time.sleep(0.01)
    assert ("3 at work" in output.getvalue()) == terminal


def test_nothing_is_at_work_behind_an_error():
    output = io.StringIO()
    lines = Counter(Console(file=output, force_terminal=True))
    with pytest.raises(KeyError), lines:
        raise KeyError
    assert lines.at_work().plain == "0 at work"
    # Live lines hide the cursor; whoever comes next has it again.
    assert output.getvalue().rindex("\x1b[?25h") > output.getvalue().rindex("\x1b[?25l")
