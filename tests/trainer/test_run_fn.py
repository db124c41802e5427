"""The stock Trainer with our run_fn: what it leaves, what it reads, how it resumes."""

import dataclasses
import gzip
import json
import pathlib
import shutil
import signal
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.run_fn import run_fn, validate_fn
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.warm_start.base_model import BaseModel
from tests.forked_process import run_forked
from tests.planted_kills import KILL_AT_STEP

#: Trains as run_fn does, and is killed in the middle of the sixth step.
KILLED = f"""
import json, sys, types
from mtlx.trainer.run_fn import run_fn

kill_at = 6
{KILL_AT_STEP}
run_fn(types.SimpleNamespace(**json.loads(sys.argv[1])))
"""

pytestmark = pytest.mark.usefixtures("rewritten_graphs")


def _served(model, examples):
    return tf.saved_model.load(str(model)).signatures["serving_default"](examples)


@pytest.fixture(scope="module")
def raw_examples(logs):
    files = sorted(str(path) for path in (logs.folder / "validation").iterdir())
    return tf.stack(list(tf.data.TFRecordDataset(files, "GZIP")))


def test_trainer_writes_model_history_and_tensorboard_logs(trained, custom_config):
    history = trained.history
    assert [record["epoch"] for record in history["epochs"]] == [1, 2]
    for record in history["epochs"]:
        assert record["examples"] == 900
        assert 0 < record["input_seconds"] < record["seconds"]
        for group in ("task_loss", "validation_auc", "validation_loss"):
            assert set(record[group]) == {"ctr", "cvr"}
            assert all(np.isfinite(value) for value in record[group].values())
        assert record["loss"] == pytest.approx(sum(record["task_loss"].values()))
    best = history["epochs"][history["best_epoch"] - 1]
    assert best["validation_auc"]["ctr"] > 0.8, "the planted signal was not learnt"
    assert history["parameters"] > 100
    assert history["devices"] == ["CPU:0"] or history["devices"][0].startswith("GPU")
    assert set(history["seconds"]) == {"input", "step", "validation", "export"}
    assert all(seconds > 0 for seconds in history["seconds"].values())
    assert history["resumed_from_step"] is None
    for weights in history["gate_weights"].values():
        assert len(weights) == 2 and sum(weights.values()) == pytest.approx(1, abs=1e-4)
    assert set(history["gate_weights"]) == {"ctr", "cvr"}
    assert not list(pathlib.Path(custom_config["checkpoint_root"]).iterdir())


def test_tensorboard_shows_every_epoch_once(trained):
    (log,) = trained.run.glob("tensorboard/*")
    steps = {}
    for event in tf.compat.v1.train.summary_iterator(str(log)):
        for value in event.summary.value:
            steps.setdefault(value.tag, []).append(event.step)
    assert steps["validation_auc/cvr"] == steps["loss"] == [1, 2]


def test_selected_weights_are_served(trained, raw_examples, logs):
    """The served model reaches the AUC that the history names for the best epoch."""
    from sklearn.metrics import roc_auc_score

    scores = _served(trained.model, raw_examples)
    # Files hold every second row, as the rows were dealt.
    rows = logs.rows["validation"][0::2] + logs.rows["validation"][1::2]
    best = trained.history["epochs"][trained.history["best_epoch"] - 1]["validation_auc"]
    click = np.array([row["click"] for row in rows])
    buy = np.array([row["buy"] for row in rows])
    assert roc_auc_score(click, scores["ctr"]) == pytest.approx(best["ctr"], abs=1e-6)
    clicked = click == 1
    cvr = roc_auc_score(buy[clicked], scores["cvr"].numpy()[clicked])
    assert cvr == pytest.approx(best["cvr"], abs=1e-6)


def test_a_training_for_its_validation_alone_reaches_the_same_and_exports_nothing(
    fn_args, trained, tmp_path
):
    told = fn_args(tmp_path / "tried", checkpoint_root=str(tmp_path / "checkpoints"))
    heard = []
    history = validate_fn(told, lambda so_far: heard.append(len(so_far.epochs)))
    assert heard == [1, 2]
    values = [epoch["selection"] for epoch in history.epochs]
    assert values == [epoch["selection"] for epoch in trained.history["epochs"]]
    assert history.best_epoch == trained.history["best_epoch"]
    assert not pathlib.Path(told.serving_model_dir).exists()
    # Its checkpoint says that there is nothing to do any more.
    again = validate_fn(told, lambda so_far: heard.append(None))
    assert [epoch["selection"] for epoch in again.epochs] == values and heard == [1, 2]


def test_killed_training_ends_with_the_uninterrupted_ones_model(
    fn_args, trained, raw_examples, tmp_path
):
    root = tmp_path / "checkpoints"
    first = fn_args(tmp_path / "first", checkpoint_root=str(root))
    killed = run_forked([sys.executable, "-c", KILLED, json.dumps(vars(first))])
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert {path.name for path in root.glob("*/*")} == {"base_model.json", "checkpoint.npz"}
    # Another training could begin with it, too.
    (folder,) = root.iterdir()
    shapes = {name: value.shape for name, value in BaseModel(str(folder)).weights().items()}
    finished = BaseModel(str(trained.model)).weights()
    assert shapes == {name: value.shape for name, value in finished.items()}

    again = fn_args(tmp_path / "again", checkpoint_root=str(root))
    run_fn(again)
    history = json.loads((tmp_path / "again/run/history.json").read_text())
    assert history["resumed_from_step"] == 3
    assert not list(root.iterdir())
    expected = _served(trained.model, raw_examples)
    for task, scores in _served(again.serving_model_dir, raw_examples).items():
        np.testing.assert_allclose(scores, expected[task], atol=1e-6)
    for ours, theirs in zip(history["epochs"], trained.history["epochs"], strict=True):
        assert ours["examples"] == theirs["examples"]
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
        assert ours["validation_auc"] == pytest.approx(theirs["validation_auc"], abs=1e-5)


def test_neither_the_test_split_nor_little_memory_changes_the_model(
    fn_args, trained, raw_examples, tmp_path, caplog
):
    """Any read of the test split fails here, and training does not notice.

    Nor does it where memory holds one split only and the other one is read anew in every epoch:
    few blocks are shuffled together either way.
    """
    examples = tmp_path / "transformed"
    shutil.copytree(trained.examples, examples)
    broken = list((examples / "Split-test").iterdir())
    assert broken
    for path in broken:
        path.chmod(0o644)
        path.write_bytes(gzip.compress(b"no record"))
    arguments = fn_args(tmp_path)
    arguments.train_files = [str(examples / "Split-train" / "*")]
    arguments.eval_files = [str(examples / "Split-validation" / "*")]
    run_fn(arguments, memory=lambda: 150_000)
    history = json.loads((tmp_path / "run/history.json").read_text())
    (note,) = history["notes"]
    assert note.startswith("The 900 rows of split train would take about 0.1 MiB of memory")
    assert note in caplog.text
    assert trained.history["notes"] == []
    expected = _served(trained.model, raw_examples)
    for task, scores in _served(arguments.serving_model_dir, raw_examples).items():
        np.testing.assert_allclose(scores, expected[task], atol=1e-6)
    sets = [field.name for field in dataclasses.fields(TrainingJob) if field.type is ExampleSet]
    assert sets == ["train", "validation"]


def test_bfloat16_learns_the_same_and_is_judged_and_served_in_float32(
    fn_args, custom_config, trained, tmp_path, raw_examples, logs, monkeypatch
):
    import keras
    from sklearn.metrics import roc_auc_score

    (tmp_path / "cpuinfo").write_text("flags\t: avx2 avx512_bf16\n")
    monkeypatch.setattr("mtlx.trainer.distribution.precision.CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    training = {**json.loads(custom_config["training"]), "precision": "auto"}
    arguments = fn_args(
        tmp_path, training=json.dumps(training), checkpoint_root=str(tmp_path / "checkpoints")
    )
    run_fn(arguments)
    assert keras.config.dtype_policy().name == "float32"
    assert not list((tmp_path / "checkpoints").iterdir())
    history = json.loads((tmp_path / "run/history.json").read_text())
    assert (history["precision"], trained.history["precision"]) == ("bfloat16", "float32")
    for ours, theirs in zip(history["epochs"], trained.history["epochs"], strict=True):
        # Not the same steps, and dropout is drawn anew; but the same curve.
        assert 0 < abs(ours["loss"] / theirs["loss"] - 1) < 0.02
        assert ours["validation_auc"] == pytest.approx(theirs["validation_auc"], abs=0.05)
    scores = _served(arguments.serving_model_dir, raw_examples)["ctr"]
    assert scores.dtype == tf.float32 and np.unique(scores).size > 100
    rows = logs.rows["validation"][0::2] + logs.rows["validation"][1::2]
    best = history["epochs"][history["best_epoch"] - 1]["validation_auc"]["ctr"]
    auc = roc_auc_score([row["click"] for row in rows], scores)
    assert auc == pytest.approx(best, abs=1e-6), "not validated as it is served"


def test_says_what_custom_config_lacks():
    arguments = types.SimpleNamespace(custom_config={"model": "{}", "training": "{}"})
    with pytest.raises(ValueError, match="lacks data_contract, checkpoint_root"):
        run_fn(arguments)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model", '{"netwerk": "mmoe"}', r"custom_config\['model'\].*did you mean 'network'"),
        ("training", '{"epochs": 0}', r"custom_config\['training'\].*epochs"),
        ("training", "epochs: 3", r"custom_config\['training'\].*JSON"),
    ],
)
def test_names_the_wrong_setting_of_custom_config(fn_args, tmp_path, key, value, words):
    with pytest.raises(ValueError, match=f"(?s){words}"):
        run_fn(fn_args(tmp_path, **{key: value}))
