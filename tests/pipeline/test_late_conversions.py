"""Labels that are known days later, in whole runs: what is learnt of them, when, and judged by.

Days of clicks and purchases. A purchase is known three days later: until then the logs say that
nothing was bought; then the day's files are written anew. What is bought has a pattern from the
third day on.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import yaml
from tfx.orchestration import metadata
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from mtlx.components.log_example_gen.spans import remembered_digest
from mtlx.components.slice_evaluation.executor import Executor
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.log_check.log_check import check_logs
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_result import RunResult
from mtlx.transform.contract.contract_property import contract_config

ROWS = 500
MATURES = 3
ITEMS = [f"i{number:02d}" for number in range(16)]
CLICKED = np.array([0.8 if place % 2 else 0.2 for place in range(16)])
#: Up to the second day all are bought alike; the mean stays.
BOUGHT_EARLY = np.full(16, 0.5)
BOUGHT = np.array([0.85 if place < 8 else 0.15 for place in range(16)])


class Days:
    """Days of logs as they are on some day, and the experiment on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        random = np.random.default_rng(3)
        self._rows = {}
        for day in range(1, 7):
            shown = random.integers(16, size=ROWS)
            click = random.random(ROWS) < CLICKED[shown]
            buy = random.random(ROWS) < (BOUGHT_EARLY if day <= 2 else BOUGHT)[shown]
            self._rows[day] = shown, click, buy

    def write(self, newest: int) -> None:
        """The logs as they are when a day is the newest."""
        for day in range(1, newest + 1):
            shown, click, buy = self._rows[day]
            known = newest - day >= MATURES
            path = self.folder / f"logs/day={day:02d}/part.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = zip(np.array(ITEMS)[shown], click.astype(int), buy * known, strict=True)
            text = "".join(f"{item},{c},{int(b)}\n" for item, c, b in lines)
            text = "item_id,click,buy\n" + text
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")

    def experiment(self):
        auc = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.01}
        values = {
            "name": "late",
            "data": {
                "path": str(self.folder / "logs/day={SPAN:2}/*.csv"),
                "window": {"train": 4, "test": 1},
            },
            "features": {"item_id": {"kind": "categorical"}},
            "tasks": {
                "click": {"label": "click"},
                "buy": {"label": "buy", "matures_after": MATURES},
            },
            "model": {"network": "single_task", "embedding_size": 4},
            "training": {
                "epochs": 6,
                "batch_size": 32,
                "learning_rate": 0.01,
                "patience": None,
                "warm_start": {"from": "latest_blessed", "spans": "unseen", "epochs": 6},
                "precision": "float32",
            },
            "gate": {"thresholds": [auc | {"bound": "point"}], "minimum_positives": 10},
            "drift": {"on_drift": "warn"},
            "validation": {"allow_anomalies": True},
            "serving": {"push_to": str(self.folder / "serving"), "check": None},
            "run": {"pipeline_root": str(self.folder / "root")},
        }
        path = self.folder / "experiment.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return read_experiment(path)


class Seen(NamedTuple):
    """The runs of day 5, from random weights on days 1 to 4, and of day 6, that goes on from it.

    Attributes:
        days: as they are on day 6.
        first: of day 5.
        second: of day 6.
        lines: what a person is told in that run.
    """

    days: Days
    first: RunResult
    second: RunResult
    lines: list[str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    days, lines = Days(tmp_path_factory.mktemp("late")), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered_digest, "SETTLED_SECONDS", 0.0)
        days.write(5)
        first = run_experiment(days.experiment())
        days.write(6)
        second = run_experiment(days.experiment(), on_progress=lines.append)
    return Seen(days, first, second, lines)


def _predicted(result, task):
    """Of every item."""
    folder = path_utils.serving_model_path(result.output("Trainer", "model"))
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    "item_id": tf.train.Feature(
                        bytes_list=tf.train.BytesList(value=[item.encode()])
                    )
                }
            )
        ).SerializeToString()
        for item in ITEMS
    ]
    return serve(examples=tf.constant(examples))[task].numpy().reshape(-1)


def _auc(predicted, probabilities):
    """Expected AUC of predictions where items are shown alike, a tie counting half."""
    weights = np.outer(probabilities, 1 - probabilities)
    above = np.sign(predicted[:, None] - predicted[None, :]) / 2 + 0.5
    return float((weights * above).sum() / weights.sum())


def test_labels_that_are_not_known_yet_teach_nothing(seen):
    """With the mask taken out purchases of days 3 and 4 are zeros: 0.25 is predicted for 0.5."""
    assert _predicted(seen.first, "buy").mean() == pytest.approx(0.5, abs=0.07)
    # Their rows train the other task.
    assert _auc(_predicted(seen.first, "click"), CLICKED) > 0.75
    history = json.loads(
        (Path(seen.first.output("Trainer", "model_run")) / "history.json").read_text()
    )
    rows = history["selection"]["rows"]
    assert 1.5 < rows["click"] / rows["buy"] < 2.7  # days 1 and 2 of four


def test_late_labels_are_learnt_when_they_are_known(seen):
    """The best possible AUC is 0.85; what was known on day 5 has no pattern."""
    first, second = (_auc(_predicted(run, "buy"), BOUGHT) for run in (seen.first, seen.second))
    assert first < 0.68 and second > 0.8
    assert _predicted(seen.second, "buy").mean() == pytest.approx(0.5, abs=0.1)


def test_a_day_trains_on_the_new_span_and_again_on_what_is_known_by_now(seen):
    record = json.loads((seen.second.folder / "run.json").read_text(encoding="utf-8"))
    window = record["window"]
    assert (window["train"], window["before"]) == ([3, 5], [1, 2, 4])
    assert (window["late"], window["unknown"]) == ({"buy": [3]}, {"buy": [5]})
    assert window["words"].endswith("tested on span 6; late labels: buy of span 3")
    text = "\n".join(seen.lines)
    assert "span 3 changed since it was read" in text
    assert "Trains again, with labels that were not known before: buy of span 3" in text
    pushed = json.loads((Path(seen.second.pushed_to) / "assets.extra/push.json").read_text())
    lineage = pushed["lineage"]
    assert [span["number"] for span in lineage["trained_on"]] == [3, 5]
    assert lineage["late_labels"] == {"buy": [{"number": 3, "is_date": False}]}
    assert lineage["unknown_labels"] == {"buy": [{"number": 5, "is_date": False}]}


def test_the_report_says_which_labels_counted_and_what_was_judged(seen):
    first, second = (
        (run.folder / "report.html").read_text(encoding="utf-8")
        for run in (seen.first, seen.second)
    )
    assert "but for buy, not known yet" in first and "buy alone, known by now" in second
    assert "buy: not judged, since none of the spans that test is mature" in first
    assert "data.window.test to 4 or more" in first
    assert "Labels that are not known yet are in no label rate: buy of spans 3 to 5" in first


def test_a_task_is_judged_on_the_spans_whose_labels_are_known(seen):
    """Where the zeros of days 4 to 6 are taken for labels the calibration is 4."""
    experiment = seen.days.experiment()
    connection = metadata.sqlite_metadata_connection_config(
        str(seen.days.folder / "root/metadata.sqlite")
    )
    with metadata.Metadata(connection) as handle:
        made = {}
        for one in handle.store.get_artifacts_by_type("Examples"):
            if "/LogExampleGen/" in one.uri:
                made[one.custom_properties["span"].int_value] = one
        tested = [made[span] for span in (3, 4, 5, 6)]
        kinds = handle.store.get_artifact_types_by_id([one.type_id for one in tested])
    model, evaluation = standard_artifacts.Model(), standard_artifacts.ModelEvaluation()
    model.uri = seen.second.output("Trainer", "model")
    evaluation.uri = str(seen.days.folder / "evaluation")
    examples = [
        artifact_utils.deserialize_artifact(kind, one)
        for kind, one in zip(kinds, tested, strict=True)
    ]
    properties = {
        **contract_config(experiment.contract),
        "evaluation_settings": experiment.evaluation.to_json(),
        "whole": 1,
    }
    inputs = {"examples": examples, "candidate": [model]}
    Executor().Do(inputs, {"evaluation": [evaluation]}, properties)
    results = load_results(evaluation.uri)
    buy, click = (results.metric("candidate", task) for task in ("buy", "click"))
    assert (buy.examples, click.examples) == (ROWS, 4 * ROWS)
    assert buy.auc > 0.8 and buy.calibration == pytest.approx(1.0, abs=0.2)
    assert results.notices[0] == "buy: judged on span 3; 3 newer spans are not mature"


def test_a_check_of_the_logs_counts_what_is_known(seen):
    """Of the window of days 2 to 6 purchases are known of the first two."""
    rows = check_logs(seen.days.experiment().anchored(), None).rows
    known = rows.population("buy")
    assert (known.sum(), rows.population("click").sum()) == (2 * ROWS, 5 * ROWS)
    assert rows.label("buy")[known].mean() == pytest.approx(0.5, abs=0.07)
