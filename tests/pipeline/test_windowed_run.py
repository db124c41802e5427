"""A window of spans, day after day, as a team runs it: one small pipeline that all tests look at."""

import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import ml_metadata
import pytest
import yaml
from tfx.orchestration import metadata
from tfx.types import artifact_utils

from mtlx.components.log_example_gen.spans import remembered_digest
from mtlx.components.relaimp_gate.lineage import seen_test_rows
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.resolvers.spans_of_model import spans_of
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_result import NodeRun, RunResult
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate

FEATURES = ("user_id", "age", "item_id", "scenario")
ROWS = 400
ALLOW = "data.gaps=allow"


class Days:
    """Days of logs that come one by one, and the experiment that is run on them.

    Args:
        source: simulated logs of all days.
        path: of the experiment file; ``logs`` beside it is filled.
    """

    def __init__(self, source: Path, path: Path) -> None:
        self.source, self.path, self.logs = source, path, path.parent / "logs"

    def come(self, *days: int) -> None:
        """Puts the files of days where the experiment looks for them."""
        for day in days:
            shutil.copytree(self.source / f"day={day:02d}", self.logs / f"day={day:02d}")

    def shorten(self, day: int) -> None:
        """Takes ten rows out of a day's first file."""
        file = min((self.logs / f"day={day:02d}").iterdir())
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(lines[:-10]), encoding="utf-8")

    def run(self, *overrides: str) -> tuple[RunResult, list[str]]:
        """Runs the experiment here; returns the result and what a person is told meanwhile."""
        lines: list[str] = []
        experiment = read_experiment(self.path, overrides)
        return run_experiment(experiment, on_progress=lines.append), lines

    def killed(self, at: str, *overrides: str) -> list[str]:
        """Runs it until a node starts, and no further; returns what a person was told.

        Nothing that handles errors sees this end, nor is anything written after it. (Processes
        that are really killed: `test_interrupted_run`.)
        """

        def on_node(node: NodeRun) -> None:
            if (node.node_id, node.state) == (at, "running"):
                raise _Killed

        lines: list[str] = []
        with pytest.raises(_Killed):
            run_experiment(read_experiment(self.path, overrides), on_node, lines.append)
        return lines


class _Killed(BaseException):
    pass


class Seen(NamedTuple):
    """What the days left.

    Attributes:
        days: with the days 1 to 5 and 7, of which the fourth was shortened after its own run.
        first: of day 4, with the lines of its run.
        second: of day 5.
        digested: files that were read in the second run to tell whether they changed.
        killed: what the run of day 7, with gaps allowed, had told when it was killed.
        third: of the same day, after that.
        again: once more.
    """

    days: Days
    first: tuple[RunResult, list[str]]
    second: tuple[RunResult, list[str]]
    digested: list[str]
    killed: list[str]
    third: tuple[RunResult, list[str]]
    again: tuple[RunResult, list[str]]


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """An experiment with a window of three days and one, and no logs yet."""
    folder = tmp_path_factory.mktemp("days")
    settings = {"rows": 7 * ROWS, "days": 7, "users": 60, "items": 60, "seed": 1}
    simulate(SimulationSettings.read(settings), folder / "simulated")
    default = Path(__file__).parents[2] / "configs/default.yaml"
    values = yaml.safe_load(default.read_text(encoding="utf-8"))
    auc = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.2, "bound": "point"}
    small = {
        "name": "daily",
        "data": {
            "path": str(folder / "logs/day={SPAN:2}/*.csv"),
            "window": {"train": 3, "test": 1},
        },
        "features": {name: values["features"][name] for name in FEATURES},
        "domain": values["domain"],
        "tasks": {"click": {"label": "click"}},
        "model": {"network": "shared_bottom", "embedding_size": 4},
        "training": {"epochs": 2, "batch_size": 256, "precision": "float32"},
        "evaluation": {"slices": [["domain"]]},
        "gate": {"thresholds": [auc], "minimum_positives": 10},
        # A new day has new values.
        "validation": {"allow_anomalies": True},
        # Serving is not what these tests are about.
        "serving": {"push_to": str(folder / "serving"), "check": None},
        "run": {"pipeline_root": str(folder / "root")},
    }
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(small, sort_keys=False), encoding="utf-8")
    return Days(folder / "simulated/logs", path)


@pytest.fixture(scope="module")
def seen(days):
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as short:
        # The files of this test are as new as can be.
        short.setattr(remembered_digest, "SETTLED_SECONDS", 0.0)
        days.come(1, 2, 3, 4)
        first = days.run()
        days.come(5)
        digested = []
        digest = remembered_digest.content_digest
        patch.setattr(
            remembered_digest,
            "content_digest",
            lambda files: digested.extend(files) or digest(files),
        )
        second = days.run()
        patch.undo()
        days.shorten(4)
        days.come(7)
        killed = days.killed("Trainer", ALLOW)
        third = days.run(ALLOW)
        again = days.run(ALLOW)
    return Seen(days, first, second, digested, killed, third, again)


def _states(result):
    return {node.node_id: node.state for node in result.nodes}


@pytest.fixture(scope="module")
def store(seen):
    root = seen.days.path.parent / "root/metadata.sqlite"
    return ml_metadata.MetadataStore(metadata.sqlite_metadata_connection_config(str(root)))


def _of_model(store, result):
    (model,) = store.get_artifacts_by_uri(result.output("Trainer", "model"))
    return spans_of(store, model.id)


def _examples(store):
    """All raw examples, by span, the oldest first."""
    found = {}
    for one in store.get_artifacts_by_type("Examples"):
        if "/LogExampleGen/" in one.uri:
            found.setdefault(one.custom_properties["span"].int_value, []).append(one)
    return found


def test_the_first_run_reads_all_that_its_window_lacks(seen):
    result, lines = seen.first
    assert result.window["read"] == [1, 2, 3]
    assert [line for line in lines if line.startswith("span ")] == [
        f"span {day}: {ROWS} rows read" for day in (1, 2, 3)
    ]
    assert result.blessed


def test_the_next_day_reads_the_days_logs_only(seen, store):
    result, lines = seen.second
    assert result.window["read"] == []
    assert not [line for line in lines if line.startswith("span ")]
    files = {Path(file).parent.name for file in seen.digested}
    assert files == {"day=05"}
    assert {span: len(found) for span, found in _examples(store).items()} == {
        1: 1, 2: 1, 3: 1, 4: 2, 5: 1, 7: 1,
    }  # fmt: skip


def test_a_changed_file_of_an_old_span_is_read_again_and_named(seen):
    (line,) = [line for line in seen.killed if "changed since it was read" in line]
    assert f"span 4 changed since it was read ({seen.days.logs}/day=04/part-00000" in line
    assert f"): {ROWS - 10} rows read again" in line


def test_a_run_goes_on_where_another_was_killed(seen):
    result, lines = seen.third
    states = _states(result)
    assert states["LogExampleGen"] == states["StatisticsGen"] == states["Transform"] == "cached"
    assert states["Trainer"] == "complete"
    assert not [line for line in lines if line.startswith("span ")]
    assert result.window["read"] == []


def test_a_day_that_is_run_again_is_served_from_the_cache(seen):
    states = _states(seen.again[0])
    looking = {"SpanWindow", "BlessedSchema", "LatestBlessedModel", "Pusher"}
    assert {node for node, state in states.items() if state != "cached"} <= looking


@pytest.mark.parametrize(
    ("run", "train", "test"), [("first", (1, 2, 3), (4,)), ("second", (2, 3, 4), (5,)), ("third", (4, 5), (7,))]
)  # fmt: skip
def test_it_is_known_which_spans_a_model_was_made_of(seen, store, run, train, test):
    result = getattr(seen, run)[0]
    spans = _of_model(store, result)
    assert (spans.train, spans.test, spans.before) == (train, test, ())
    record = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))["window"]
    assert (tuple(record["train"]), tuple(record["test"])) == (train, test)


def test_all_rows_of_the_span_that_tests_are_evaluated_and_none_of_them_trained(seen, store):
    result = seen.third[0]
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    assert results.metric("candidate", "click").examples == ROWS
    history = json.loads(
        (Path(result.output("Trainer", "model_run")) / "history.json").read_text(encoding="utf-8")
    )
    examples = _examples(store)
    trained = [json.loads((Path(one.uri) / "ingestion/summary.json").read_text())["rows"]
               for one in (examples[4][-1], examples[5][-1])]  # fmt: skip
    assert history["epochs"][0]["examples"] == sum(rows["train"] for rows in trained)
    assert sum(sum(rows.values()) for rows in trained) == 2 * ROWS - 10


def test_the_report_shows_the_spans_and_what_is_missing(seen):
    page = (seen.third[0].folder / "report.html").read_text(encoding="utf-8")
    assert "trained on 4 to 5, tested on 7" in page
    assert "Of the window&#39;s 4 spans the logs had 3; they lacked 6." in page
    assert "Spans of the window" in page
    first = (seen.first[0].folder / "report.html").read_text(encoding="utf-8")
    assert "trained on 1 to 3, tested on 4" in first and "they lacked" not in first


def test_what_is_missing_stands_in_record_and_log(seen):
    record = json.loads((seen.third[0].folder / "run.json").read_text(encoding="utf-8"))
    assert record["window"]["missing"] == [6]
    words = "lack span 6, within the window; the run goes on without"
    assert any(words in line for line in seen.killed)
    assert "span 6" in (seen.third[0].folder / "log.txt").read_text(encoding="utf-8")


def test_a_gap_is_refused_before_anything_is_read(seen, capsys):
    before = sorted(path.name for path in (seen.days.path.parent / "root/runs").iterdir())
    for command in ("run", "check"):
        code = command_line.main([command, str(seen.days.path)])
        assert code == command_line.EXIT_WRONG_INPUT
        message = capsys.readouterr().err
        assert "the logs lack span 6, within the window of spans 4 to 7" in message
        assert "set data.gaps: allow to go on without" in message
    assert before == sorted(p.name for p in (seen.days.path.parent / "root/runs").iterdir())


def test_check_counts_the_rows_by_what_their_span_is_for(seen, capsys):
    command_line.main(["check", str(seen.days.path), "--set", ALLOW])
    splits = dict(re.findall(r"(train|validation|test) +│? *(\d+) ", capsys.readouterr().out))
    assert int(splits["test"]) == ROWS
    assert int(splits["train"]) + int(splits["validation"]) == 2 * ROWS - 10


def _seen(store, numbers):
    found = store.get_artifacts_by_id(numbers)
    kinds = store.get_artifact_types_by_id([one.type_id for one in found])
    return [
        artifact_utils.deserialize_artifact(kind, one)
        for kind, one in zip(kinds, found, strict=True)
    ]


def test_a_baseline_that_was_trained_on_the_span_that_tests_is_noticed(seen, store):
    """The second model was trained on what the first was tested on, and the other way round not."""
    examples = {span: found[0].id for span, found in _examples(store).items()}

    def rows(train, test):
        trained, tested = ([examples[span] for span in spans] for spans in (train, test))
        return SeenExamples.load_all(_seen(store, trained), _seen(store, tested))

    first, second = rows([1, 2, 3], [4]), rows([2, 3, 4], [5])
    assert seen_test_rows(first, second) == (ROWS, ROWS)
    assert seen_test_rows(second, first) == (0, 0)
    assert seen_test_rows(second, second) == (0, 0)
    assert second.words == "trained on spans 2 to 4, tested on span 5, 8 files"


def test_the_verdict_tells_which_spans_the_models_saw(seen):
    verdict = Verdict.of_blessing(seen.second[0].blessing)
    words = {model.model: (model.examples, model.seen_test_rows) for model in verdict.lineage}
    assert words["candidate"][0].startswith("trained on spans 2 to 4, tested on span 5, 8 files")
    assert words["baseline"][0].startswith("trained on spans 1 to 3, tested on span 4, 8 files")
    assert words["baseline"][1] == "none"
