"""An experiment on a few rows of CSV that has nothing to be refused."""

import pytest
import yaml

HEADER = "user,item,price,scenario,click,buy\n"


def rows(count, first=0):
    return "".join(
        f"u{n % 7},i{n % 5},{n % 11}.5,{'feed' if n % 3 else 'search'},{n % 2},{n % 4 // 3}\n"
        for n in range(first, first + count)
    )


@pytest.fixture
def write(tmp_path):
    """Writes logs and experiment, with some sections changed; returns the experiment's path."""
    for day in (1, 2):
        folder = tmp_path / "logs" / f"day={day}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(HEADER + rows(50, 50 * day), encoding="utf-8")

    def function(**sections):
        values = {
            "name": "small",
            "data": {
                "path": str(tmp_path / "logs/day=*/*.csv"),
                "split": {"by": "file", "train": ["day=1/*"], "test": ["day=2/*"]},
            },
            "features": {
                "user": {"kind": "categorical", "embed": False},
                "item": {"kind": "categorical"},
                "price": {"kind": "numeric"},
                "scenario": {"kind": "categorical"},
            },
            "domain": {"feature": "scenario", "values": ["feed", "search"]},
            "tasks": {
                "click": {"label": "click"},
                "buy": {"label": "buy", "after": "click"},
            },
            "model": {"network": "mmoe"},
            "run": {"pipeline_root": "root"},
        }
        for name, section in sections.items():
            mapping = isinstance(section, dict) and isinstance(values.get(name), dict)
            values[name] = {**values[name], **section} if mapping else section
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return function
