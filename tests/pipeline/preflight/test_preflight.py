"""What would stop a run is refused before TensorFlow, TFX or Beam is loaded."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.preflight.preflight import preflight

ROOT = Path(__file__).parents[3]

#: Runs commands in one process; says of each what it returned, printed and had imported by then.
CHILD = """
import contextlib, io, json, sys
from mtlx.kubeflow.command_line import main
answers = []
for arguments in json.loads(sys.argv[1]):
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(arguments)
    heavy = sorted({"tensorflow", "tfx", "apache_beam", "keras"} & set(sys.modules))
    answers.append([code, error.getvalue(), heavy])
print(json.dumps(answers))
"""


def _commands(*commands, cwd=None):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(commands)],
        capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _refusal(path, overrides=(), **arguments):
    with pytest.raises(ExperimentFileError) as caught:
        preflight(read_experiment(path, overrides), str(path), **arguments)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_right_experiment_passes_and_leaves_nothing_behind(write, tmp_path):
    path = write()
    before = sorted(tmp_path.rglob("*"))
    preflight(read_experiment(path), str(path))
    assert sorted(tmp_path.rglob("*")) == before


def test_every_command_refuses_without_tensorflow(write, tmp_path):
    """One process, so that whatever the first commands import is seen by the last one."""
    file = str(write(serving={"push_to": "serving"}))
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    cluster = ["--set", "kubeflow.image=x", "--set", "kubeflow.settings={data.path: /mnt/x}"]
    kinds = {
        "no file matches": ["data.path=none/*.csv"],
        "no column 'prize', did you mean 'price'": ["features.price.column=prize"],
        "is no Parquet file; for text set data.reader: csv": ["data.reader=parquet"],
        "no file matches 'day=9/\\*'": ["data.split.train=['day=[12]/*', 'day=9/*']"],
        "into no split": ["data.split.test=['day=3/*']"],
        "names no categorical feature: 'cty'": [
            "gate.thresholds=[{rule: auc, slice: cty=*, minimum: 0.5}]"
        ],
        "'serch' is no domain": [
            "gate.thresholds=[{rule: auc, slice: domain=serch, minimum: 0.5}]"
        ],
        "no task matches 'by'": ["gate.thresholds=[{rule: auc, task: by, minimum: 0.5}]"],
        "is no folder; give the folder of a SavedModel": ["gate.given_model=/none"],
        "schema_path: .*No such file": ["validation.schema_path=/none"],
        "best_possible: .*No such file": ["report.best_possible=/none"],
        "push_to: .*plain is a file": [f"serving.push_to={tmp_path}/plain"],
        "pipeline_root: .*plain is a file, below which": [f"run.pipeline_root={tmp_path}/plain/x"],
        "unknown network 'mmoo', did you mean 'mmoe'": ["model.network=mmoo"],
        r"model.sequence_options.sequences: unknown sequence 'clicked', Known: none": [
            "model.sequence_options.sequences=[clicked]"
        ],
        "unknown loss 'focl'": ["training.loss=[{name: focl}]"],
        "unknown training method 'mta'": ["training.method=mta"],
        "unknown option 'delimter'": ["data.options.delimter=x"],
        "census-income.data": ["data.reader=census_income"],
        "ml-1m.zip": ["data.reader=movielens_1m"],
    }
    commands, messages = [], []
    for message, overrides in kinds.items():
        settings = [part for override in overrides for part in ("--set", override)]
        commands += [["run", file, *settings], ["check", file, *settings]]
        messages += [message] * 2
    wrong = ["--set", "model.network=mmoo"]
    commands += [["rehearse", file, *wrong], ["models", "mmoe", "--count", "none.yaml"]]
    commands += [["compile", file, *cluster], ["submit", file, "--set", "kubeflow.image=x"]]
    messages += ["unknown network 'mmoo'", "none.yaml: No such file"]
    messages += ["run.pipeline_root is relative", "data.path is this machine's"]
    days = "data={path: 'logs/day={SPAN}/*.csv', window: {train: 1}}"
    replay = ["replay", file, "--data", str(tmp_path), "--spans"]
    commands += [[*replay, "1..2"], [*replay, "1..2", "--set", days, *wrong]]
    commands += [[*replay, "7..8", "--set", days], [*replay, "1..2", "--compare", "x"]]
    messages += ["needs logs in spans", "unknown network 'mmoo'", "no file of span 7", "among"]
    answers = _commands(*commands)
    for command, message, (code, text, heavy) in zip(commands, messages, answers, strict=True):
        assert code == 2, (command, text)
        assert re.search(message, text), (command, text)
        assert "Traceback" not in text
        assert heavy == [], command


def test_sequences_that_a_model_reads_must_be_features(write, tmp_path):
    clicked = "features.clicked={kind: sequence, of: item}"
    path = write(gate={"reference": {"network": "mmoe"}})
    for day in (1, 2):
        log = tmp_path / f"logs/day={day}/a.csv"
        head, *lines = log.read_text(encoding="utf-8").splitlines()
        text = "\n".join([f"{head},clicked", *(f"{line},i1|i2" for line in lines)])
        log.write_text(text, encoding="utf-8")
    key = "sequence_options.sequences"
    for choice in ("[clicked]", "first", "null"):
        preflight(read_experiment(path, [clicked, f"model.{key}={choice}"]), str(path))
    wrong = {
        "[clickd]": "unknown sequence 'clickd', did you mean 'clicked'? Known: 'clicked'",
        "[item]": "unknown sequence 'item', Known: 'clicked'",
        "[clicked, clicked]": "sequence 'clicked' is named twice",
        "[]": "names no sequence: choose sequence_encoder 'none'",
        "last": "should be 'first' (of the features), or a list of names. Received: 'last'",
    }
    for model in ("model", "gate.reference"):
        for choice, problem in wrong.items():
            text = _refusal(path, [clicked, f"{model}.{key}={choice}"])
            assert text.startswith(f"{model}.{key}: {problem}")


def test_formats_are_told_by_their_first_bytes(write, tmp_path):
    path, log = write(), tmp_path / "logs/day=1/a.csv"
    content = log.read_bytes()
    pa.parquet.write_table(pa.table({"user": ["u"]}), log)
    assert "a.csv: is a Parquet file, not text: set data.reader: parquet" in _refusal(path)
    log.write_bytes(b"PK\x03\x04 and so on")
    assert "a.csv: is a zip file, not text: unpack it" in _refusal(path)
    log.write_bytes(gzip.compress(content))
    log.rename(log.with_suffix(".csv.gz"))
    changed = [f"data.path={tmp_path}/logs/day=*/*"]
    preflight(read_experiment(path, changed), str(path))
    text = _refusal(path, [*changed, "data.reader=parquet"])
    assert "is no Parquet file (it is packed with gzip)" in text


def test_the_heads_of_all_files_are_looked_into(write, tmp_path):
    path, log = write(), tmp_path / "logs/day=2/a.csv"
    lines = log.read_text(encoding="utf-8").splitlines()
    lines[3] = "u1,i1,1.0,feed,2,0"
    log.write_text("\n".join(lines), encoding="utf-8")
    assert f"{log}:4: column 'click': a label should be 0 or 1" in _refusal(path)
    log.write_text("user;item;price\nu;i;1\n", encoding="utf-8")
    assert f"{log}: no column 'user', Known: 'user;item;price'" in _refusal(path)
    log.write_text("", encoding="utf-8")
    assert f"{log}: is empty" in _refusal(path)
    log.write_text("\n".join([lines[0], *("u,i,1,shop,0,0" for _ in range(9))]), encoding="utf-8")
    preflight(read_experiment(path), str(path))  # day 1 is right, and the run counts
    text = _refusal(path, [f"data.path={log}", "data.split={by: hash, of: user}"])
    assert "all of the first 9 rows are malformed, such as" in text
    assert "unknown domain: 'shop'" in text


def test_files_of_two_splits_and_of_none(write):
    path = write()
    assert "into train and test" in _refusal(path, ["data.split.test=['*']"])
    assert "no file matches 'x/*'; there are 2" in _refusal(path, ["data.split.train=['x/*']"])


def test_a_span_is_found_as_a_run_would(write, tmp_path):
    path = write(data={"path": str(tmp_path / "logs/day={SPAN}/*.csv"), "reader": "csv",
                       "split": {"by": "hash", "of": "user"}})  # fmt: skip
    (tmp_path / "logs/day=2/a.csv").write_text("user\nx\n", encoding="utf-8")
    assert "day=2/a.csv: no column 'item'" in _refusal(path)  # the latest
    preflight(read_experiment(path, ["data.span=1"]), str(path))
    assert "no file matches" in _refusal(path, ["data.span=3"])


def test_what_is_not_seen_from_here_is_left_to_the_cluster(write):
    path = write(
        data={"path": "/none/*.csv", "split": {"by": "hash", "of": "user"}},
        validation={"schema_path": "/none/schema.pbtxt"},
    )
    preflight(read_experiment(path), str(path), must_exist=False)
    preflight(read_experiment(path, ["data.path=gs://bucket/x.csv"]), "x", must_exist=False)
    assert "data.path: no file matches /none/*.csv" in _refusal(path)


def test_schema_and_best_possible(write, tmp_path):
    schema, best = tmp_path / "schema.pbtxt", tmp_path / "best.json"
    path = write(validation={"schema_path": "schema.pbtxt"}, report={"best_possible": "best.json"})
    schema.write_text("feature { name: 3 }", encoding="utf-8")
    best.write_text("[", encoding="utf-8")
    text = _refusal(path)
    assert "validation.schema_path: " in text and "is no schema as text: 1:1" in text
    assert "report.best_possible: " in text and "is no JSON" in text
    names = "".join(f'feature {{ name: "{n}" }}\n' for n in ("user", "item", "price", "scenaro"))
    schema.write_text(names, encoding="utf-8")
    best.write_text('{"click": 0.7}', encoding="utf-8")
    text = _refusal(path)
    assert "has no feature 'scenario', did you mean 'scenaro'" in text
    assert "should hold {task: {slice: AUC}}" in text
    schema.write_text(names.replace("scenaro", "scenario"), encoding="utf-8")
    best.write_text('{"click": {"overall": 0.7, "domain=feed": null}}', encoding="utf-8")
    preflight(read_experiment(path), str(path))


def test_folders_are_tried_out(write):
    text = _refusal(write(), ["run.pipeline_root=/proc/none/root"])
    assert text.startswith("run.pipeline_root: /proc cannot be written to (")


def test_the_same_experiment_from_two_working_directories(write, tmp_path, monkeypatch):
    """Relative paths start from the file's folder, whatever the working directory is."""
    file = write(serving={"push_to": "../serving"}, gate={"given_model": "models/1"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def paths(folder, *overrides):
        monkeypatch.chdir(folder)
        found = read_experiment(os.path.relpath(file), overrides).anchored()
        return [found.run.pipeline_root, found.serving.push_to, found.gate.given_model]

    expected = [str(tmp_path / "root"), str(tmp_path.parent / "serving"), f"{tmp_path}/models/1"]
    assert paths(tmp_path) == paths(elsewhere) == paths("/") == expected
    # What was typed in a shell is meant from there.
    assert paths(elsewhere, "run.pipeline_root=r")[0] == str(elsewhere / "r")
    assert paths(elsewhere, "run={pipeline_root: r}")[0] == str(elsewhere / "r")
    assert paths(elsewhere, "run.pipeline_root=null")[0] == str(elsewhere / "var/pipelines/small")


def test_files_of_the_stock_reader_are_those_of_its_splits(write, tmp_path):
    split = {"by": "file", "train": ["day=1/*"], "validation": ["day=2/*"], "test": ["day=2/*"]}
    path = write(
        data={"path": f"{tmp_path}/logs/", "split": split},
        components={"example_gen": "stock", "statistics": "stock"},
    )
    preflight(read_experiment(path), str(path))
    text = _refusal(path, ["data.split.test=['day=3/*']"])
    assert text.startswith(f"data.path: no file matches {tmp_path}/logs/day=3/*")
    (tmp_path / "logs/day=2/a.csv").write_text("user\nu\n", encoding="utf-8")
    assert "day=2/a.csv: no column 'item'" in _refusal(path)
