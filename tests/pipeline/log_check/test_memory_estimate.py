"""What the trainer will keep, by the widths of what it keeps, and what the machine has."""

import pytest

from mtlx.pipeline.log_check import memory_estimate
from mtlx.pipeline.log_check.memory_estimate import available_bytes, bytes_per_row
from mtlx.transform.contract.data_contract import DataContract


def _bytes(**features):
    item = {"item": {"kind": "categorical", "embed": False}}
    return bytes_per_row(
        DataContract.read({"features": item | features, "tasks": {"a": {"label": "a"}}})
    )


#: The domain's index and a label, int64 each.
BARE = 16


@pytest.mark.parametrize(
    ("feature", "size"),
    [
        ({"kind": "categorical"}, 8),
        ({"kind": "categorical", "hash_buckets": 10}, 8),
        ({"kind": "categorical", "embed": False}, 0),
        ({"kind": "numeric"}, 4),
        ({"kind": "numeric", "transform": "quantile_buckets"}, 8),
        ({"kind": "numeric", "transform": ["log", "zscore", "quantile_buckets"]}, 16),
        ({"kind": "sequence", "of": "other", "max_length": 7}, 56),
    ],
)
def test_what_a_feature_takes(feature, size):
    others = {"other": {"kind": "categorical"}} if feature["kind"] == "sequence" else {}
    assert _bytes(**others, x=feature) - _bytes(**others) == size
    assert _bytes() == BARE


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of which only these files tell."""

    def function(meminfo=None, *limits):
        files = [tmp_path / f"limit-{number}" for number in range(2)]
        for file, text in zip(files, limits, strict=False):
            file.write_text(text, encoding="ascii")
        monkeypatch.setattr(memory_estimate, "_LIMITS", tuple(files))
        monkeypatch.setattr(memory_estimate, "_MEMINFO", tmp_path / "meminfo")
        if meminfo is not None:
            (tmp_path / "meminfo").write_text(meminfo, encoding="ascii")
        return available_bytes()

    return function


MEMINFO = "MemTotal:       64000 kB\nMemFree:         1000 kB\nMemAvailable:    5000 kB\n"


def test_what_is_available_not_what_is_free(machine):
    assert machine(MEMINFO) == 5000 * 1024


@pytest.mark.parametrize(
    ("limits", "expected"),
    [(("max\n",), 5000 * 1024), (("1048576\n",), 1 << 20), (("max", "2048"), 2048),
     (("999999999999",), 5000 * 1024)],
)  # fmt: skip
def test_a_container_s_limit_counts_where_it_is_less(machine, limits, expected):
    assert machine(MEMINFO, *limits) == expected


def test_a_machine_that_tells_nothing(machine):
    assert machine() is None


def test_this_machine_tells(monkeypatch):
    found = available_bytes()
    assert found is None or found > 1 << 20
