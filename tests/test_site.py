"""The documentation as a site: built from a copy, and what breaks its build."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "mkdocs.yml")


@pytest.fixture
def site(tmp_path):
    """A copy of what the site is made of, and a function that builds it."""
    for name in BESIDE:
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=ignored)

    def build():
        command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return tmp_path, build


def test_the_site_is_built_and_a_link_to_nowhere_fails(site):
    folder, build = site
    assert build().returncode == 0
    first = (folder / "var/site/index.html").read_text(encoding="utf-8")
    assert 'href="experiment/"' in first and 'src="report.png"' in first
    for file, wrong in (
        ("README.md", "docs/experimint.md"),
        ("docs/data.md", "models.md#network-dnt"),
    ):
        with (folder / file).open("a", encoding="utf-8") as page:
            page.write(f"\n[there]({wrong})\n")
    failed = build()
    assert failed.returncode == 1
    assert "experimint.md" in failed.stderr and "#network-dnt" in failed.stderr


def test_the_site_is_part_of_the_tests_command():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^test: install\n((?:\t.*\n)+)", makefile, re.M).group(1)
    assert "mkdocs build --strict" in recipe
