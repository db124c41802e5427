"""On which spans a task is judged, and what is said of the others."""

import pytest
from tfx.types import standard_artifacts

from mtlx.components.slice_evaluation.known_labels import KnownLabels
from mtlx.transform.contract.data_contract import DataContract


def _contract(after):
    features = {"item": {"kind": "categorical"}}
    tasks = {"click": {"label": "click"}, "buy": {"label": "buy", "matures_after": after}}
    tasks["rated"] = {"label": "rated", "population": "buy"}
    return DataContract.read({"features": features, "tasks": tasks})


@pytest.fixture
def examples(tmp_path):
    found = []
    for span in (7, 8, 9):
        found.append(standard_artifacts.Examples())
        found[-1].uri = str(tmp_path / str(span))
        found[-1].set_int_custom_property("span", span)
    return found


def test_files_go_by_what_is_known_of_their_span(examples):
    known = KnownLabels.of(examples, _contract(1))
    groups = known.grouped((one, [f"{one.uri}/a", f"{one.uri}/b"]) for one in examples)
    assert {tasks: [file[-3:] for file in files] for tasks, files in groups.items()} == {
        (): ["7/a", "7/b", "8/a", "8/b"],
        ("buy", "rated"): ["9/a", "9/b"],
    }
    assert known.notices == tuple(
        f"{task}: judged on spans 7 to 8; 1 newer span is not mature" for task in ("buy", "rated")
    )


def test_of_which_nothing_is_known_is_said_what_to_do(examples):
    notice = KnownLabels.of(examples, _contract(3)).notices[0]
    assert notice == (
        "buy: not judged, since none of the spans that test is mature: its labels are known 3 "
        "spans later. To judge it, set data.window.test to 4 or more"
    )


def test_where_labels_are_known_at_once_nothing_is_said(examples):
    assert KnownLabels.of(examples, _contract(0)) == KnownLabels()
