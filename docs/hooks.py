"""What makes the repository's own pages part of the site: README is its first page."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parents[1]
#: Files beside docs/, by what they are called in the site.
_BESIDE = {
    "index.md": "README.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "SECURITY.md": "SECURITY.md",
    "LICENSE": "LICENSE",
}


def on_files(files: Files, config: Any) -> Files:
    """Adds them, with links into docs/ as they are there."""
    for target, source in _BESIDE.items():
        text = (_ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, target, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leads links that leave docs/ for one of them to its place in the site."""
    for target, source in _BESIDE.items():
        markdown = markdown.replace(f"](../{source}", f"]({target}")
    return markdown
