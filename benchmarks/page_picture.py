"""A picture of the top of a page that a replay or a comparison has written.

    python -m benchmarks.page_picture var/replays/daily/replay.html --height 845
    python -m benchmarks.page_picture var/comparisons/default/comparison.html

Needs Chromium.
"""

import argparse
from pathlib import Path

from benchmarks.report_picture import photograph

_WIDTH, _HEIGHT = 1100, 900


def main() -> None:
    """Reads the command line and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="HTML file")
    parser.add_argument("--out", type=Path, help="default: in docs, with the page's name")
    parser.add_argument("--height", type=int, default=_HEIGHT, help="default: %(default)s")
    arguments = parser.parse_args()
    page = arguments.page.read_text(encoding="utf-8")
    out = arguments.out or Path("docs", arguments.page.name).with_suffix(".png")
    photograph(page, out, _WIDTH, arguments.height)


if __name__ == "__main__":
    main()
