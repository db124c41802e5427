"""Scoring with small models of other projects, which hold no contract, and what can go wrong."""

import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import tensorflow as tf

from mtlx.components.batch_scoring.chosen_model import ChosenModel, chosen_model
from mtlx.components.batch_scoring.score_columns import check_carried
from mtlx.components.batch_scoring.score_file import ScoreFile
from mtlx.components.batch_scoring.score_files import ScoringJob, score_files
from mtlx.components.batch_scoring.score_output import check_output
from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "user": {"kind": "categorical", "embed": False},
            "cost": {"kind": "numeric", "column": "price"},
        },
        "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "after": "click"}},
    }
)
DATA = DataSettings.read(
    {"path": "unused", "split": {"by": "row", "train": 0.5, "validation": 0.2, "test": 0.3}}
)


class Model(tf.Module):
    """A probability per task from one number; none where it is 13."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        cost = tf.io.parse_example(examples, {"cost": tf.io.FixedLenFeature([], tf.float32, 0.0)})
        cost = cost["cost"]
        click = tf.where(cost == 13.0, np.float32("nan"), tf.sigmoid(cost))
        return {"buy": tf.sigmoid(-cost), "click": click}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    model, path = Model(), str(tmp_path_factory.mktemp("model") / "5")
    tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
    return ChosenModel(path, 5)


@pytest.fixture
def score(model, tmp_path):
    def function(files, columns=(), limit=0.2, chosen=model, contract=CONTRACT):
        data = DATA.model_copy(update={"max_malformed_share": limit})
        paths = []
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            paths.append(str(tmp_path / name))
        output = str(tmp_path / "out")
        job = ScoringJob(chosen, data, contract, ("x",), tuple(paths), tuple(columns), output)
        return score_files(job), pd.read_parquet(output)

    return function


def _log(first, count):
    return "price,note\n" + "".join(f"{n}.5,n{n}\n" for n in range(first, first + count))


def test_a_model_without_a_contract_is_read_by_the_experiments(score):
    summary, found = score({"a.csv": _log(0, 3), "b.csv": _log(3, 2)}, ["note"])
    assert found.note.tolist() == ["n0", "n1", "n2", "n3", "n4"]
    assert found.line.tolist() == [2, 3, 4, 2, 3]
    assert [os.path.basename(path) for path in found.file] == ["a.csv"] * 3 + ["b.csv"] * 2
    cost = np.array([0.5, 1.5, 2.5, 3.5, 4.5])
    np.testing.assert_allclose(found.score_click, 1 / (1 + np.exp(-cost)), atol=1e-6)
    np.testing.assert_allclose(found.score_buy, 1 / (1 + np.exp(cost)), atol=1e-6)
    assert summary["tasks"] == ["click", "buy"] and summary["version"] == 5


def test_the_model_is_loaded_once_however_many_shards_there_are(score, monkeypatch):
    loads, real = [], tf.saved_model.load
    monkeypatch.setattr(ServedModel, "_loaded", {})
    monkeypatch.setattr(tf.saved_model, "load", lambda path: loads.append(path) or real(path))
    _, found = score({f"{n}.csv": _log(n, 50) for n in range(6)})
    assert len(found) == 300 and len(loads) == 1


def test_rows_beyond_one_batch_keep_their_order(score):
    count = 9_000  # of 4,096 that are predicted together
    _, found = score({"a.csv": "price\n" + "".join(f"{n / count}\n" for n in range(count))})
    cost = np.arange(count) / count
    np.testing.assert_allclose(found.score_click, 1 / (1 + np.exp(-cost)), atol=1e-6)
    assert found.line.tolist() == list(range(2, count + 2))


def test_what_has_no_finite_score_is_counted(score):
    summary, found = score({"a.csv": "price\n13\n0\n"})
    assert summary["undefined"] == {"click": 1, "buy": 0}
    assert np.isnan(found.score_click[0]) and found.score_click[1] == pytest.approx(0.5)


def test_a_feature_that_nobody_describes_is_named(score):
    other = CONTRACT.model_copy(update={"features": {"user": CONTRACT.features["user"]}})
    with pytest.raises(ScoringRefused, match="reads cost, of which neither it nor the experiment"):
        score({"a.csv": _log(0, 1)}, contract=other)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.csv": "price,x\n"}, "no rows in x"),
        ({"a.csv": _log(0, 3), "b.csv": "prize,x\n1,2\n"}, r"b.csv: no column 'price', did you"),
        ({"a.csv": _log(0, 3), "b.csv": "price,x\nmany,\nmore,\n"}, "2 of 5 rows are malformed"),
    ],
)
def test_what_is_refused_leaves_no_scores(score, tmp_path, files, words):
    with pytest.raises(InputRefused, match=words):
        score(files)
    assert not list((tmp_path / "out").glob("*.parquet"))
    assert not (tmp_path / "out/_unfinished").exists()
    score({"c.csv": _log(0, 3)})  # The folder can be used again.
    assert len(pd.read_parquet(tmp_path / "out")) == 3
    with pytest.raises(ScoringRefused, match="is not empty"):
        score({"c.csv": _log(0, 3)})


def test_a_model_that_fails_on_a_shard_is_told_and_leaves_no_scores(score, tmp_path, monkeypatch):
    def fail(self, examples):
        raise ValueError("model 'served': task 'click' served 1.5")

    monkeypatch.setattr(ServedModel, "predict", fail)
    with pytest.raises(InputRefused, match="task 'click' served 1.5"):
        score({"a.csv": _log(0, 3)})
    assert os.listdir(tmp_path / "out") == ["_summary.json"]
    assert "served 1.5" in json.loads((tmp_path / "out/_summary.json").read_text())["refused"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path, unfinished = tmp_path / "scores.parquet", tmp_path / "_unfinished"
    table = pa.table({"a": [1, 2]})
    with pytest.raises(KeyError), ScoreFile(str(path), str(unfinished)) as file:
        file.write(table)
        assert not path.exists() and len(list(unfinished.iterdir())) == 1
        raise KeyError
    assert not path.exists()
    with ScoreFile(str(path), str(unfinished)) as file:
        file.write(table.slice(0, 0))
    assert not path.exists()
    with ScoreFile(str(path), str(unfinished)) as file:
        file.write(table)
        file.write(table)
        assert not path.exists()
    assert pyarrow.parquet.read_table(path)["a"].to_pylist() == [1, 2, 1, 2]


def test_versions_are_numbers_with_a_model_in_them(tmp_path, model):
    for name in ("2", "10", "11", "notes", ".mtlx-push"):
        (tmp_path / name).mkdir()
    for name in ("2", "10"):
        (tmp_path / name / "saved_model.pb").write_bytes(b"")
    base = str(tmp_path)
    assert chosen_model("latest", base) == ChosenModel(f"{base}/10", 10)
    assert chosen_model("2", base) == ChosenModel(f"{base}/2", 2)
    assert chosen_model(model.path, None) == ChosenModel(model.path, None)
    for wanted, words in (
        ("11", "no version 11; the newest ones are 2, 10"),
        ("notes", "holds no"),
    ):
        with pytest.raises(ScoringRefused, match=words):
            chosen_model(wanted, base)
    with pytest.raises(ScoringRefused, match="not set, so no version was ever pushed"):
        chosen_model("latest", None)
    with pytest.raises(ScoringRefused, match="no version was pushed to .*none yet"):
        chosen_model("3", f"{base}/none")


def test_columns_that_scoring_writes_are_not_carried():
    check_carried(["click", "price"], ["click"])
    for column in ("file", "line", "score_click"):
        with pytest.raises(ScoringRefused, match=f"writes a column '{column}' of its own"):
            check_carried([column], ["click"])


def test_a_folder_with_anything_else_is_not_written_to(tmp_path):
    check_output(str(tmp_path / "new"))
    check_output(str(tmp_path))
    (tmp_path / "_summary.json").write_text('{"refused": null}')
    with pytest.raises(ScoringRefused, match="is not empty"):
        check_output(str(tmp_path))
    (tmp_path / "_summary.json").write_text('{"refused": "too many"}')
    check_output(str(tmp_path))
    (tmp_path / "scores-00000-of-00001.parquet").write_text("")
    with pytest.raises(ScoringRefused, match="is not empty"):
        check_output(str(tmp_path))
    (tmp_path / "_unfinished").mkdir()
    with pytest.raises(ScoringRefused, match="or wrote until it was killed: empty the folder"):
        check_output(str(tmp_path))
