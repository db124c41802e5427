"""The options of ``mtlx simulate``, with and without days."""

import hashlib
import json

import pytest

from mtlx.pipeline.command_line import EXIT_OK, EXIT_WRONG_INPUT, main

#: Of the logs' bytes since items have tags; tests of the simulator hold the other columns to what
#: they were before.
DIGEST = "fd1e199c8e5ad09647e9c18af386a899f0a0ec737f1405086569b139943d821f"


def test_without_days_the_logs_are_the_bytes_that_they_always_were(tmp_path, capsys):
    assert main(["simulate", "--rows", "1003", "--out", str(tmp_path / "x")]) == EXIT_OK
    assert capsys.readouterr().out.startswith("Wrote 1,003 rows to ")
    digest = hashlib.sha256()
    for path in sorted((tmp_path / "x/logs").rglob("*.csv")):
        digest.update(path.read_bytes())
    assert digest.hexdigest() == DIGEST


def test_days_are_added_by_a_later_call(tmp_path, capsys):
    out = ["--out", str(tmp_path / "x")]
    daily = ["--rows-per-day", "400", "--drift", "0.3", "--new-items", "0.1", "--new-users", "0.05"]
    command = ["simulate", *out, *daily, "--weekly", "0", "--format", "parquet", "--days"]
    assert main([*command, "2"]) == main([*command, "3"]) == main([*command, "3"]) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Wrote 2 days up to Tuesday, 2024-01-02, 800 rows, to ")
    assert said[1].startswith("Wrote 1 days") and said[2].endswith("nothing to do")
    settings = json.loads((tmp_path / "x/simulation.json").read_text())["settings"]
    assert (settings["drift"], settings["new_items"], settings["new_users"]) == (0.3, 0.1, 0.05)
    assert settings["weekly"] == 0.0 and settings["seed"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--drift", "0.1"], "--drift is for --days N, which is not given"),
        (["--rows-per-day", "5"], "--rows-per-day is for --days N"),
        (["--days", "3", "--rows", "100"], "give --rows-per-day"),
        (["--days", "3", "--drift", "2"], "drift: "),
        (["--days", "0"], "days: "),
        (["--rows", "0"], "rows: "),
    ],
)
def test_wrong_options_are_one_line(tmp_path, capsys, arguments, words):
    assert main(["simulate", "--out", str(tmp_path / "x"), *arguments]) == EXIT_WRONG_INPUT
    error = capsys.readouterr().err
    assert words in error and len(error.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists()
