"""A picture of a run's report: the verdict, its first checks, and the gains by task and domain.

    make run
    python -m benchmarks.report_picture

Needs Chromium. The report is shown as it is, but for two things: what lies further down is left
out, and the two sections stand side by side.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

_REPORT = Path("var/pipelines/default/runs/latest/report.html")
_PICTURE = Path("docs/report.png")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Size of the window and picture elements per unit of it.
_WIDTH, _HEIGHT, _SCALE = 1440, 900, 1.25
_COLOURS = 96
_STYLE = """
<style>
html, body, main { max-width: none; }
body { margin: 0 1.5rem; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
main > section { align-self: start; }
main > section { margin: 0; }
main > section:not(#verdict):not(#relaimp), footer, details { display: none; }
#verdict > .banner ~ * { display: none; }
#verdict > .banner ~ div:has(.checks), #verdict > .banner ~ table.checks { display: block; }
#verdict > .banner ~ div:has(.checks) ~ * { display: none; }
.checks tbody tr:nth-child(n + 7) { display: none; }
</style>
</head>
"""


def main() -> None:
    """Reads the command line and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=_REPORT, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=_PICTURE, help="default: %(default)s")
    arguments = parser.parse_args()
    page = arguments.report.read_text(encoding="utf-8").replace("</head>", _STYLE, 1)
    photograph(page, arguments.out, _WIDTH, _HEIGHT)


def photograph(page: str, out: Path, width: int, height: int) -> None:
    """Writes a picture of a page, without the empty space at its bottom, and says how large it is.

    Args:
        page: HTML that needs nothing else.
        out: PNG file.
        width: of the window, in CSS pixels.
        height: of what is shown, likewise; at most.
    """
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"needs one of {', '.join(_BROWSERS)} on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        file, shot = Path(folder, "page.html"), Path(folder, "shot.png")
        file.write_text(page, encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--window-size={width},{height}", f"--force-device-scale-factor={_SCALE}"]
        command += [f"--user-data-dir={folder}/profile", f"--screenshot={shot}", file.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        with Image.open(shot) as image:
            cropped(image.convert("RGB")).quantize(_COLOURS).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


def cropped(image: Image.Image) -> Image.Image:
    """Without the empty space at the bottom, but for a margin."""
    ground = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox() or (0, 0, *image.size)
    return image.crop((0, 0, image.width, min(image.height, box[3] + 20)))


if __name__ == "__main__":
    main()
