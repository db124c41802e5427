"""Scoring files with the model that a run pushed."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import yaml

from mtlx.components.log_example_gen.readers.files import matching_files
from mtlx.pipeline.command_line import EXIT_OK, EXIT_WRONG_INPUT, main
from mtlx.pipeline.process.prompt_stop import BEGINS_ANEW
from mtlx.trainer.serving.scoring import Scorer
from tests.beam_workers import fork_workers
from tests.planted_kills import command_of, started

TASKS = ("click", "add_to_cart", "purchase")


@pytest.fixture(scope="module")
def served(finished):
    """The experiment file, its pushed model's folder, and the logs of the test day."""
    path, result = finished
    pattern = yaml.safe_load(path.read_text(encoding="utf-8"))["data"]["path"]
    return path, Path(result.pushed_to), pattern.replace("day=*", "day=08"), result


def _score(path, pattern, output, *more):
    return main(["score", str(path), "--input", pattern, "--output", str(output), *more])


@pytest.fixture(scope="module")
def scores(served, tmp_path_factory):
    path, _, pattern, _ = served
    output = tmp_path_factory.mktemp("scored") / "Größe #1"
    assert _score(path, pattern, output, "--columns", "impression_id,price,city,click") == EXIT_OK
    return output


def _logs(pattern):
    frames = []
    for file in matching_files(pattern):
        frames.append(pd.read_csv(file).assign(file=file))
    return pd.concat(frames, ignore_index=True)


def _rows(folder):
    return pd.read_parquet(folder)


def test_scores_are_those_of_the_served_signature_on_the_ingested_examples(served, scores):
    _, model, _, result = served
    folder = result.output("LogExampleGen", "examples") + "/Split-test"
    files = sorted(str(path) for path in Path(folder).iterdir())
    examples = [e.numpy() for e in tf.data.TFRecordDataset(files, "GZIP")]
    expected = tf.saved_model.load(str(model)).signatures["serving_default"](tf.constant(examples))
    found = _rows(scores)
    assert len(found) == len(examples) == 375
    for task in TASKS:
        np.testing.assert_allclose(found[f"score_{task}"], expected[task].numpy(), atol=1e-6)
        assert found[f"score_{task}"].dtype == np.float32
        assert found[f"score_{task}"].std() > 1e-4


def test_each_row_says_where_it_stands_and_carries_what_was_asked_for(served, scores):
    _, model, pattern, _ = served
    found, logs = _rows(scores), _logs(pattern)
    carried = ["impression_id", "price", "city", "click"]  # the model knows no city
    assert list(found) == ["file", "line", *(f"score_{task}" for task in TASKS), *carried]
    assert found.impression_id.astype(int).tolist() == logs.impression_id.tolist()
    assert found.file.tolist() == logs.file.tolist()
    for row in found.iloc[[0, 5, -1]].itertuples():
        line = Path(row.file).read_text(encoding="utf-8").splitlines()[row.line - 1]
        assert line.split(",")[0] == row.impression_id
    # And by the other signature, from the logs themselves.
    frame = logs.drop(columns="file")
    with pytest.warns(UserWarning, match="does not read"):
        again = Scorer(str(model)).score(frame)
    np.testing.assert_allclose(found.score_click, again.click, atol=1e-6)


def test_the_summary_accounts_for_it(served, scores, capsys):
    _, model, pattern, _ = served
    summary = json.loads((scores / "_summary.json").read_text())
    assert summary["model"] == str(model) and summary["version"] == int(model.name)
    assert summary["rows"] == 375 and summary["malformed"] == {} and summary["refused"] is None
    assert summary["lines"] == {"read": 377, "header": 2} and summary["files"] == 2
    assert summary["input"] == [pattern] and summary["tasks"] == list(TASKS)
    assert summary["rows_per_second"] == pytest.approx(375 / summary["seconds"])
    assert summary["undefined"] == dict.fromkeys(TASKS, 0)
    names = sorted(path.name for path in scores.iterdir())
    assert names == ["_summary.json", *(f"scores-0000{n}-of-00002.parquet" for n in (0, 1))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_stopped_says_that_it_begins_anew_and_does(served, tmp_path, number):
    path, _, pattern, _ = served
    output = tmp_path / "out"
    days = pattern.replace("day=08", "day=*")
    command = command_of("score", path)
    process = started([*command, "--input", days, "--output", str(output)])
    while process.poll() is None and not (output / "_unfinished").exists():
        time.sleep(0.005)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, printed
    assert printed.strip().splitlines()[-1] == BEGINS_ANEW and "rows scored" not in printed
    assert not output.exists() or list(output.iterdir()) == []
    assert _score(path, pattern, output) == EXIT_OK


def test_rows_without_labels_are_scored_and_malformed_ones_counted(
    served, scores, tmp_path, capsys
):
    path, model, pattern, _ = served
    logs = pd.concat([pd.read_csv(f, dtype=str) for f in sorted(
        {str(file) for file in _rows(scores).file})])  # fmt: skip
    bare = logs.drop(columns=[*TASKS, "day", "user_id"]).fillna("")
    bare.iloc[3, bare.columns.get_loc("price")] = "dear"
    bare.iloc[7, bare.columns.get_loc("scenario")] = "moon"
    bare.to_csv(tmp_path / "bare.csv", index=False)
    more = ["--version", str(model), "--set", "data.max_malformed_share=0.01"]
    assert _score(path, str(tmp_path / "bare.csv"), tmp_path / "out", *more) == EXIT_OK
    assert "373 rows scored, 2 malformed, in " in capsys.readouterr().out
    found, whole = _rows(tmp_path / "out"), _rows(scores)
    kept = [n for n in range(375) if n not in (3, 7)]
    assert (found.line - 2).tolist() == kept
    np.testing.assert_allclose(found.score_click, whole.score_click.iloc[kept], atol=1e-6)
    summary = json.loads((tmp_path / "out/_summary.json").read_text())
    assert summary["malformed"] == {"not a number": 1, "unknown domain": 1}
    assert summary["version"] is None
    (kept_aside,) = (tmp_path / "out/_quarantine").iterdir()
    assert [json.loads(line)["line"] for line in kept_aside.read_text().splitlines()] == [5, 9]

    # Above the limit nothing stays but the account, and the same folder can be used again.
    strict = ["--version", str(model), "--set", "data.max_malformed_share=0.001"]
    assert _score(path, str(tmp_path / "bare.csv"), tmp_path / "no", *strict) == EXIT_WRONG_INPUT
    assert "2 of 375 rows are malformed (0.53%, the limit is 0.10%)" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path / "no")) == ["_quarantine", "_summary.json"]
    assert json.loads((tmp_path / "no/_summary.json").read_text())["refused"].startswith("2 of 375")
    assert _score(path, str(tmp_path / "bare.csv"), tmp_path / "no", *more) == EXIT_OK


def test_what_is_wrong_is_one_line_before_anything_is_scored(served, tmp_path, capsys):
    path, model, pattern, _ = served

    def refused(*more, given=pattern, output=tmp_path / "out", experiment=path):
        assert _score(experiment, given, output, *more) == EXIT_WRONG_INPUT
        error = capsys.readouterr().err
        assert len(error.strip().splitlines()) == 1 and not (tmp_path / "out").exists()
        return error

    assert "has no version 99; the newest ones are 1" in refused("--version", "99")
    assert "holds no SavedModel: give 'latest'" in refused("--version", str(tmp_path))
    never = f"serving.push_to={tmp_path / 'never'}"
    assert f"no version was pushed to {tmp_path / 'never'} yet" in refused("--set", never)
    assert "serving.push_to is not set" in refused("--set", "serving.push_to=null")
    assert "no file matches " in refused(given=str(tmp_path / "*.csv"))
    assert "No such file" in refused(experiment=tmp_path / "no.yaml")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    assert "is not empty" in refused(output=tmp_path / "full")
    assert "is a file" in refused(output=tmp_path / "full/thesis.txt")
    assert "no column 'colour'" in refused("--columns", "colour")
    assert "writes a column 'line'" in refused("--columns", "price,line")
    assert "'price' is named twice" in refused("--columns", "price,price")
    log = _logs(pattern).drop(columns=["file", "gender"])
    log.to_csv(tmp_path / "log.csv", index=False)
    error = refused(given=str(tmp_path / "log.csv"))
    assert "log.csv: no column 'gender'" in error and f"The model in {model} reads " in error
    assert "user_id" not in error.split("reads ")[1]  # is not needed for a prediction


def test_an_older_version_scores_where_it_is_asked_for(served, scores, tmp_path):
    path, model, pattern, _ = served
    folder = tmp_path / "serving"
    for number in ("3", "12"):
        shutil.copytree(model, folder / number)
    setting = ["--set", f"serving.push_to={folder}", "--version", "3"]
    assert _score(path, pattern, tmp_path / "old", *setting) == EXIT_OK
    summary = json.loads((tmp_path / "old/_summary.json").read_text())
    assert (summary["version"], summary["model"]) == (3, str(folder / "3"))


def test_parquet_logs_of_the_same_rows_have_the_same_scores(served, scores, tmp_path):
    path, _, _, _ = served
    logs = pd.concat(map(pd.read_csv, sorted(set(_rows(scores).file))), ignore_index=True)
    for column in ("clicked_items", "clicked_categories"):
        logs[column] = logs[column].fillna("").str.split("|")
        logs[column] = [[item for item in items if item] for items in logs[column]]
    logs.to_parquet(tmp_path / "log.parquet", row_group_size=100)
    more = ["--set", "data.reader=parquet", "--columns", "impression_id,clicked_items"]
    assert _score(path, str(tmp_path / "log.parquet"), tmp_path / "out", *more) == EXIT_OK
    found, expected = _rows(tmp_path / "out"), _rows(scores)
    np.testing.assert_allclose(found.score_purchase, expected.score_purchase, atol=1e-6)
    assert found.impression_id.tolist() == logs.impression_id.tolist()
    assert found.line.tolist() == list(range(1, 376))
    assert [list(items) for items in found.clicked_items] == logs.clicked_items.tolist()


def test_several_worker_processes_write_the_same(served, scores, tmp_path, monkeypatch):
    path, _, pattern, _ = served
    fork_workers(monkeypatch, tmp_path)
    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    given = json.dumps([*workers, "--sdk_container_image=mtlx"])
    more = ["--set", f"run.beam_pipeline_args={given}"]
    assert _score(path, pattern, tmp_path / "out", *more) == EXIT_OK
    found, expected = _rows(tmp_path / "out"), _rows(scores)
    assert found.line.tolist() == expected.line.tolist()
    np.testing.assert_allclose(found.score_click, expected.score_click, atol=1e-6)


def test_a_value_that_was_never_missing_in_training_may_be_missing(served, scores, tmp_path):
    path, model, pattern, _ = served
    logs = _logs(pattern).drop(columns="file")
    logs.loc[2, "price"] = logs.loc[4, "rating"] = np.nan
    logs.loc[6, "gender"] = logs.loc[8, "clicked_items"] = np.nan
    logs.loc[8, "clicked_categories"] = np.nan
    logs.to_csv(tmp_path / "log.csv", index=False)
    assert _score(path, str(tmp_path / "log.csv"), tmp_path / "out") == EXIT_OK
    found = _rows(tmp_path / "out")
    assert len(found) == 375 and found.score_click.notna().all()
    with pytest.warns(UserWarning, match="does not read"):
        again = Scorer(str(model)).score(logs)
    np.testing.assert_allclose(found.score_click, again.click, atol=1e-6)
    changed = np.flatnonzero(abs(found.score_click - _rows(scores).score_click) > 1e-6)
    assert set(changed) <= {2, 4, 6, 8} and {2, 6} <= set(changed)
