"""A picture of a comparison's page: what is decided, and the first task.

    python -m benchmarks.comparison_picture var/comparisons/default/comparison.html

Needs Chromium.
"""

import argparse
from pathlib import Path

from benchmarks.report_picture import photograph

_WIDTH, _HEIGHT = 1100, 900


def main() -> None:
    """Reads the command line and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="comparison.html")
    parser.add_argument("--out", type=Path, default=Path("docs/comparison.png"))
    parser.add_argument("--height", type=int, default=_HEIGHT, help="default: %(default)s")
    arguments = parser.parse_args()
    page = arguments.page.read_text(encoding="utf-8")
    photograph(page, arguments.out, _WIDTH, arguments.height)


if __name__ == "__main__":
    main()
