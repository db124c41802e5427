"""Weights, conditions, drawn negatives and numbers in a whole run, from the log to the gate."""

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import yaml
from rich.console import Console

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.log_check.log_check import check_logs
from mtlx.pipeline.log_check.print_check import print_check
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.trainer.serving.scoring import Scorer
from mtlx.trainer.validation.history import read_history

ROWS = 6_000


def _log(seed):
    """A sixth is watched long, by item; rows of ``fr`` are not to be there, three are malformed."""
    random = np.random.default_rng(seed)
    item = random.integers(0, 10, ROWS)
    watch = np.exp(random.normal(2.2 + 0.12 * item, 0.6))
    frame = pd.DataFrame(
        {
            "item": [f"i{number}" for number in item],
            "country": np.where(np.arange(ROWS) % 4 == 3, "fr", "de"),
            "watch": watch.round(3),
            "like": (random.random(ROWS) < 0.2 + 0.05 * item).astype(int),
            "importance": random.choice([0.5, 1.0, 4.0], ROWS),
            "of_like": random.choice([0.0, 1.0, 2.0], ROWS),
        }
    )
    frame["importance"] = frame["importance"].astype(object)
    frame.loc[[0, 4, 8], "importance"] = [-1, "", "inf"]
    return frame


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    frames = {split: _log(seed) for seed, split in enumerate(("train", "validation", "test"))}
    for split, frame in frames.items():
        frame.to_csv(folder / f"{split}.csv", index=False)
    values = {
        "name": "rows",
        "data": {
            "path": str(folder / "*.csv"),
            "split": {
                "by": "file",
                **{split: [f"{split}.csv"] for split in ("train", "validation", "test")},
            },
            "max_malformed_share": 0.01,
            "weight": {"column": "importance", "clip": 2},
            "where": [{"column": "country", "one_of": ["de"]}],
        },
        "features": {"item": {"kind": "categorical"}},
        "tasks": {
            "long": {"label": {"column": "watch", "at_least": 30}},
            "like": {"label": "like", "weight": "of_like"},
            "watch": {"label": "watch", "kind": "regression", "loss": "log_normal"},
        },
        "sampling": {"task": "long", "negatives": 0.2, "correction": "logit"},
        "model": {"network": "shared_bottom", "embedding_size": 4},
        "training": {
            "epochs": 40,
            "batch_size": 128,
            "learning_rate": 0.01,
            "patience": 5,
            "precision": "float32",
        },
        "evaluation": {"metrics": ["rmse", "xauc"]},
        "gate": {
            "minimum_positives": 10,
            "first_run": "push",
            "thresholds": [
                {"rule": "calibration", "minimum": 0.8, "maximum": 1.25, "bound": "point"},
                {"rule": "auc", "task": "*", "minimum": 0.5},
                {"rule": "metric", "metric": "xauc", "task": "watch", "limit": 0.55},
            ],
        },
        # How it is served on trial has nothing to do with the rows.
        "serving": {"push_to": str(folder / "serving"), "check": None},
        "drift": {"on_drift": "warn"},
        "run": {"pipeline_root": str(folder / "root")},
    }
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    experiment = read_experiment(path)
    result = run_experiment(experiment)
    return SimpleNamespace(frames=frames, result=result, model=result.pushed_to, path=path)


def _kept(frame):
    number = pd.to_numeric(frame["importance"], errors="coerce")
    frame = frame.assign(weight=number.clip(upper=2))
    return frame[(frame["country"] == "de") & np.isfinite(number) & (number >= 0)]


def test_every_row_of_the_log_is_accounted_for(run):
    summary = read_ingestion_summary(run.result.output("LogExampleGen", "examples"))
    assert summary["filtered"] == 3 * ROWS // 4
    assert summary["malformed"] == {
        "negative weight": 3,
        "missing weight": 3,
        "weight is no finite number": 3,
    }
    assert sum(summary["rows"].values()) == sum(len(_kept(f)) for f in run.frames.values())
    assert sum(summary["rows"].values()) + 9 + summary["filtered"] == 3 * ROWS
    page = (run.result.folder / "report.html").read_text(encoding="utf-8")
    assert "do not meet the conditions of data.where" in page


def test_the_training_reads_a_fifth_of_the_negatives(run):
    history = read_history(run.result.output("Trainer", "model_run"))
    train = _kept(run.frames["train"])
    positives, negatives = (train["watch"] >= 30).sum(), (train["watch"] < 30).sum()
    examples = history["epochs"][0]["examples"]
    assert positives + 0.17 * negatives < examples < positives + 0.23 * negatives
    # The validation split is whole, and watched by weights.
    validation = _kept(run.frames["validation"])
    assert history["selection"]["rows"]["long"] == len(validation)
    assert history["selection"]["rows"]["like"] == (validation["of_like"] > 0).sum()


def test_what_is_served_are_the_logs_own_rates_and_minutes(run):
    test = _kept(run.frames["test"]).reset_index(drop=True)
    found = Scorer(run.model).score(test[["item"]])
    weights = test["weight"].to_numpy(float)
    metrics = {
        (one.task, one.key): one
        for one in load_results(run.result.output("SliceEvaluation", "evaluation")).metrics
        if one.model == "candidate"
    }
    labels = {"long": test["watch"] >= 30, "like": test["like"], "watch": test["watch"]}
    for task, label in labels.items():
        own = weights * (test["of_like"] if task == "like" else 1)
        ratio = (own * found[task]).sum() / (own * label).sum()
        assert metrics[task, ()].calibration == pytest.approx(ratio, rel=1e-3)
        assert 0.85 < ratio < 1.18, (task, ratio)
    error = np.sqrt(np.average((found["watch"] - test["watch"]) ** 2, weights=weights))
    assert metrics["watch", ()].estimate("rmse").value == pytest.approx(error, rel=1e-3)
    assert metrics["watch", ()].auc is None
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={"item": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"i3"]))}
            )
        ).SerializeToString()
    ]
    signature = tf.saved_model.load(run.model).signatures["serving_default"]
    served = signature(tf.constant(examples))
    by_columns = Scorer(run.model).score(pd.DataFrame({"item": ["i3"]}))
    for task in labels:
        np.testing.assert_allclose(served[task].numpy(), by_columns[task], rtol=1e-6)
    # So does the validation split see it, or its log loss was not below that of the base rate.
    history = read_history(run.result.output("Trainer", "model_run"))
    assert any("-1.6094 is added to its logit" in note for note in history["notes"])
    assert min(epoch["task_selection"]["long"] for epoch in history["epochs"]) < 1.0


def test_the_gate_asks_of_numbers_what_is_defined_of_them(run):
    verdict = Verdict.of_blessing(run.result.output("RelaImpGate", "blessing"))
    checked = {(check.rule, check.task) for check in verdict.checks}
    assert ("auc", "watch") not in checked and ("auc", "long") in checked
    assert ("metric", "watch") in checked and ("calibration", "watch") in checked
    assert verdict.blessed, [check.message for check in verdict.checks if not check.passed]


def test_the_check_shows_weights_numbers_and_rates_behind_the_threshold(run):
    check = check_logs(read_experiment(run.path), None)
    console = Console(width=200, record=True, file=io.StringIO())
    print_check(console, check)
    text = console.export_text()
    assert "Filtered: 4,500 rows do not meet data.where" in text
    rows = pd.concat(_kept(frame) for frame in run.frames.values())
    line = next(line for line in text.splitlines() if "importance (weight)" in line)
    assert f"{rows['weight'].mean():.4g}" in line and "0.5" in line and "0.0%" in line
    zeros = next(line for line in text.splitlines() if "of_like (weight)" in line)
    assert f"{np.mean(rows['of_like'] == 0):.1%}" in zeros
    rate = next(line for line in text.splitlines() if line.split()[1:2] == ["long"])
    assert f"{100 * np.mean(rows['watch'] >= 30):.3g}%" in rate
