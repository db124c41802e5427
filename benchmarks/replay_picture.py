"""A picture of a replay's page: its curves.

    python -m benchmarks.replay_picture var/replays/daily/replay.html --out docs/replay.png

Needs Chromium.
"""

import argparse
from pathlib import Path

from benchmarks.report_picture import photograph

_WIDTH, _HEIGHT = 1100, 900


def main() -> None:
    """Reads the command line and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="replay.html")
    parser.add_argument("--out", type=Path, default=Path("docs/replay.png"))
    parser.add_argument("--height", type=int, default=_HEIGHT, help="default: %(default)s")
    arguments = parser.parse_args()
    page = arguments.page.read_text(encoding="utf-8")
    photograph(page, arguments.out, _WIDTH, arguments.height)


if __name__ == "__main__":
    main()
