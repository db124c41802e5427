"""``mtlx check`` at the command line: tables that fit, exit codes, nothing heavy."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

CHILD = """
import json, sys
from mtlx.pipeline.command_line import main
codes = [main(arguments) for arguments in json.loads(sys.argv[1])]
heavy = sorted({"tensorflow", "tfx", "apache_beam", "keras"} & set(sys.modules))
print(json.dumps([codes, heavy]))
"""


def _commands(*commands):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(commands)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


def test_exit_codes_tables_and_imports(check, log):
    log["spend"] = log["buy"] * 5
    log["a_feature_with_a_name_that_is_longer_than_most_of_them"] = log["weak"]
    file = str(
        check(
            log,
            run=False,
            features={
                "spend": {"kind": "numeric"},
                "a_feature_with_a_name_that_is_longer_than_most_of_them": {"kind": "numeric"},
            },
        )
    )
    wrong = ["check", file, "--set", "data.split.test_from=1900000000"]
    output, (codes, heavy) = _commands(
        ["check", file], ["check", file, "--strict"], ["check", file, "--rows", "0"], wrong
    )
    assert codes == [0, 2, 0, 2]
    assert heavy == []
    assert "warning: feature spend tells buy almost by itself" in output
    assert "1 error(s), " in output
    assert "error: split test has no row" in output
    assert "0 error(s), 1 warning(s)" in output
    assert "Columns that the experiment does not name: request, time" in output
    tables = [line for line in output.splitlines() if line[:1] in "┏┃┡│└"]
    assert max(map(len, tables)) <= 80
    cells = "".join(line.split("│")[1].strip() for line in tables if line.startswith("│"))
    assert "a_feature_with_a_name_that_is_longer_than_most_of_them" in cells
