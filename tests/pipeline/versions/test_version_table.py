"""The commands on versions: what they print, and their exit codes."""

import json

import pytest

from mtlx.pipeline import command_line


@pytest.fixture
def run(capsys, monkeypatch, absl_as_at_start):
    """Runs a command; returns its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def function(arguments):
        code = command_line.main(arguments)
        found = capsys.readouterr()
        return code, found.out, found.err

    return function


def test_what_was_pushed_is_told_with_its_run_spans_verdict_and_metrics(make_past, run):
    past = make_past(2)
    code, out, _ = run(past.command("versions", "--json"))
    first, second = json.loads(out)
    assert code == 0
    assert (first["version"], first["serves"], first["withdrawn"]) == (1, False, False)
    assert (second["version"], second["serves"]) == (2, True)
    assert second["run_id"] == past.made.runs[1].run_id
    assert second["model"].endswith("Format-Serving")
    lineage = second["lineage"]
    assert lineage["spans"] == "2" and lineage["revision"] == "abc"
    assert lineage["verdict"]["blessed"] and lineage["metrics"]["click"]["auc"]["value"] == 0.602

    code, out, _ = run(past.command("versions"))
    assert code == 0
    (line,) = [line for line in out.splitlines() if "click 0.6020" in line]
    assert "serves" in line and "blessed" in line
    assert "0.6010" in out and past.base in out.replace("\n", "")


def test_a_roll_back_is_said_in_two_lines_and_seen_in_the_table(make_past, run):
    past = make_past(2)
    code, out, _ = run(past.command("rollback"))
    assert (code, out.splitlines()) == (
        0,
        [
            "Version 1 serves again, as version 3. Withdrawn: 2",
            "It is the model that the next run is compared with",
        ],
    )
    code, out, _ = run(past.command("versions", "--json"))
    states = [(v["version"], v["serves"], v["withdrawn"], v["restores"]) for v in json.loads(out)]
    assert states == [(1, False, False, None), (2, False, True, None), (3, True, False, 1)]
    assert "withdrawn" in run(past.command("versions"))[1]


def test_what_is_wrong_is_one_line(make_past, run):
    past = make_past(1)
    for arguments, expected, words in [
        (["rollback"], 2, "none before it"),
        (["rollback", "--to", "1"], 2, "version 1 serves already"),
        (["rollback", "--to", "5"], 2, "holds no version 5; there are: 1"),
        (["rollback", "--cluster"], 1, "metadata store cannot be read"),
    ]:
        if "--cluster" in arguments:
            arguments = [*arguments, "--to", "1", *_unreachable(past)]
            past.made.run(2)
        code, out, err = run(past.command(*arguments))
        assert (code, out, err.count("\n")) == (expected, "", 1), err
        assert words in err
    (past.place.root / "metadata.sqlite").unlink()
    code, _, err = run(past.command("rollback"))
    assert (code, err.count("\n")) == (1, 1)
    assert "no metadata store" in err and "--serving-only" in err


def _unreachable(past):
    settings = {
        "kubeflow.metadata": "{host: 127.0.0.1, port: 1}",
        "kubeflow.settings": json.dumps(
            {
                "run.pipeline_root": past.place.artifacts,
                "serving.push_to": past.base,
                "data.path": "/mnt/logs/day=*/*.csv",
            }
        ),
    }
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


def test_without_versions_there_is_one_line(make_past, run):
    past = make_past(0)
    code, out, err = run(past.command("versions"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "holds no version" in err
    assert run(past.command("versions", "--json"))[:2] == (0, "[]\n")
    code, _, err = run([*past.command("versions"), "--set", "serving.push_to=null"])
    assert code == 2 and "serving.push_to has no value" in err
