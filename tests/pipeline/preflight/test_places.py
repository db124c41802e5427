"""Files that are read besides the logs, and folders that are written to."""

import os

import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.preflight.places import input_problems, output_problems

FEATURES = ("user", "item", "price", "scenario")


def _inputs(path, must_exist=True):
    return input_problems(read_experiment(path).anchored(), must_exist)


def _outputs(path):
    return output_problems(read_experiment(path).anchored())


def test_what_is_not_named_is_not_looked_for(write):
    assert _inputs(write()) == []
    assert _outputs(write()) == []


def test_every_missing_file_is_a_problem_of_its_own_key_unless_it_may_lie_elsewhere(write):
    path = write(
        validation={"schema_path": "s.pbtxt"},
        report={"best_possible": "b.json"},
        gate={"given_model": "m/1"},
        training={"warm_start": "models"},
    )
    problems = _inputs(path)
    assert [problem.split(":")[0] for problem in problems] == [
        "gate.given_model", "validation.schema_path", "report.best_possible",
        "training.warm_start",
    ]  # fmt: skip
    folder = str(path.parent)
    assert all(f": {folder}/" in problem for problem in problems)
    assert "Take the schema.pbtxt of an earlier run" in problems[1]
    assert "Correct the path, or leave the setting out" in problems[2]
    assert _inputs(path, must_exist=False) == []


def test_what_is_there_is_looked_into_even_where_it_need_not_be(write, tmp_path):
    (tmp_path / "b.json").write_text("[1, 2]", encoding="utf-8")
    path = write(report={"best_possible": "b.json"})
    (problem,) = _inputs(path, must_exist=False)
    assert problem.startswith(f"report.best_possible: {tmp_path}/b.json: should hold {{task: ")


def test_places_of_an_object_store_are_left_to_it(write):
    path = write(
        validation={"schema_path": "gs://bucket/s.pbtxt"},
        report={"best_possible": "s3://bucket/b.json"},
        run={"pipeline_root": "gs://bucket/root"},
        serving={"push_to": "gs://bucket/serving"},
    )
    assert _inputs(path) == [] and _outputs(path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("", "is no JSON"),
        ('{"click": 0.7}', "should hold {task: {slice: AUC}}"),
        ('{"click": {"overall": "high"}}', "should hold {task: {slice: AUC}}"),
        ('{"click": {"overall": 0.7, "domain=a,b": null}}', None),
        ("{}", None),
    ],
)
def test_what_the_report_would_read_is_read(write, tmp_path, text, words):
    (tmp_path / "größe.json").write_text(text, encoding="utf-8")
    problems = _inputs(write(report={"best_possible": "größe.json"}))
    assert (words is None) == (problems == [])
    assert words is None or words in problems[0]


def test_a_file_per_span_is_left_to_the_run(write):
    assert _inputs(write(report={"best_possible": "best/day={YYYY}-{MM}-{DD}.json"})) == []


def test_a_file_of_bytes_is_no_schema_and_no_json(write, tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    problems = _inputs(write(report={"best_possible": "x"}, validation={"schema_path": "x"}))
    assert "is no schema as text" in problems[0] and "is no JSON" in problems[1]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (FEATURES, None),
        ((*FEATURES, "click", "more"), None),
        (FEATURES[:3], "has no feature 'scenario', "),
        (("user", "item", "prize", "scenario"), "has no feature 'price', did you mean 'prize'"),
        ((), "has no feature 'user'"),
    ],
)
def test_a_schema_has_all_features(write, tmp_path, names, problem):
    text = "".join(f'feature {{ name: "{name}" }}\n' for name in names)
    (tmp_path / "s.pbtxt").write_text(text, encoding="utf-8")
    problems = _inputs(write(validation={"schema_path": "s.pbtxt"}))
    assert len(problems) == (problem is not None)
    assert problem is None or f"s.pbtxt: {problem}" in problems[0]


def test_folders_that_have_to_be_made_leave_nothing_behind(write, tmp_path):
    path = write(run={"pipeline_root": "a/b/c"}, serving={"push_to": str(tmp_path / "ä 'b'" / "d")})
    before = sorted(tmp_path.rglob("*"))
    assert _outputs(path) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_in_the_way_is_named(write, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    path = write(run={"pipeline_root": "file/root"}, serving={"push_to": "file"})
    root, push = _outputs(path)
    assert root == (
        f"run.pipeline_root: {tmp_path}/file is a file, below which {tmp_path}/file/root should be:"
        " give the path of a folder"
    )
    assert push == f"serving.push_to: {tmp_path}/file is a file: give the path of a folder"


def test_a_link_that_leads_nowhere_is_in_the_way(write, tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (problem,) = _outputs(write(serving={"push_to": "gone/models"}))
    assert problem.startswith(f"serving.push_to: {tmp_path}/gone is a file, below which")


def test_a_read_only_disk_says_why(write, mount):
    folder = mount("size=1m,ro")
    (problem,) = _outputs(write(serving={"push_to": str(folder / "models")}))
    assert problem == (
        f"serving.push_to: {folder} cannot be written to ({os.strerror(30)}): give another folder"
    )
