"""What the extractors add to a batch: labels, populations, slices, users and predictions."""

import threading

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_batch import (
    GROUPINGS_KEY,
    REQUESTS_KEY,
    SLICE_COLUMNS_KEY,
    USERS_KEY,
)
from mtlx.components.slice_evaluation.extractors import (
    labels_extractor,
    predictions_extractor,
    raw_examples,
    slices_extractor,
)
from mtlx.components.slice_evaluation.known_labels import with_unknown
from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.transform.contract.model_inputs import TaskSpec

CLICK, BUY = TaskSpec("ctr", "click"), TaskSpec("cvr", "bought", "ctr", "ctr")
RAW = tfma.constants.ARROW_INPUT_COLUMN


def _batch(**columns):
    """List columns: a value stands for a list of it, None for no list."""
    kinds = {"click": pa.int64(), "bought": pa.int64()}
    arrays = []
    for name, values in columns.items():
        lists = [[v] if isinstance(v, int | str | bytes) else v for v in values]
        arrays.append(pa.array(lists, pa.large_list(kinds.get(name, pa.large_binary()))))
    return {
        tfma.ARROW_RECORD_BATCH_KEY: pa.RecordBatch.from_arrays(arrays, list(columns)),
        "kept": "as it is",
    }


def _applied(extractor, extracts):
    """Calls what the extractor maps with, as Beam would."""
    transform = extractor.ptransform
    transform.fn.setup()
    transform.fn.start_bundle()
    found = list(transform.fn.process(extracts, *transform.args, **transform.kwargs))
    (found,) = found or [late.value for late in transform.fn.finish_bundle()]
    return found


def test_labels_are_numbers_and_the_population_a_weight():
    found = _applied(labels_extractor((CLICK, BUY)), _batch(click=[1, 0, 1], bought=[1, 0, 0]))
    labels, weights = found[tfma.LABELS_KEY], found[tfma.EXAMPLE_WEIGHTS_KEY]
    assert labels["ctr"].tolist() == [1, 0, 1] and labels["cvr"].tolist() == [1, 0, 0]
    assert weights["ctr"].tolist() == [1, 1, 1] and weights["cvr"].tolist() == [1, 0, 1]
    assert labels["ctr"].dtype == np.float32
    assert found["kept"] == "as it is"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, None, None], "'click' of task 'ctr': 2 of 3 examples do not have exactly one value"),
        ([1, [], 0], "1 of 3 examples do not have exactly one value; the examples must come"),
        ([1, [0, 1], 0], "1 of 3 examples do not have exactly one value"),
        ([0, 1, 7], "'click' of task 'ctr' has the value 7; a label is 0 or 1"),
        ([0, -1, 0], "has the value -1"),
    ],
)
def test_a_label_that_is_none_is_an_error_that_names_it(values, words):
    with pytest.raises(ValueError, match=words):
        _applied(labels_extractor((CLICK,)), _batch(click=values))


def test_a_batch_without_rows_has_no_labels():
    found = _applied(labels_extractor((CLICK,)), _batch(click=[]))
    assert found[tfma.LABELS_KEY]["ctr"].shape == (0,)


def _sliced(extracts, crosses=(), user_key=None, groupings=(), request_key=None):
    extractor = slices_extractor(list(crosses), user_key, list(groupings), request_key)
    return _applied(extractor, extracts)


def test_slices_are_told_under_the_shown_name():
    cross = SliceCross(("domain",), ("scenario",))
    found = _sliced(_batch(scenario=["feed", None, "search"]), [cross])
    overall, column = found[SLICE_COLUMNS_KEY]
    assert overall.keys == ((),)
    named = [column.keys[code] for code in column.codes]
    assert named == [(("domain", text),) for text in ("feed", "(missing)", "search")]
    assert USERS_KEY not in found and GROUPINGS_KEY not in found


def test_a_user_has_one_hash_in_every_batch_and_other_users_another():
    names = ["u1", "u2", "U1", "u1 ", "ü", "用户", "", "0"]
    first = _sliced(_batch(user=names, **{RAW: [b"r"] * 8}), user_key="user")[USERS_KEY]
    again = _sliced(_batch(user=names[::-1], **{RAW: [b"r"] * 8}), user_key="user")[USERS_KEY]
    assert first.dtype == np.uint64
    assert len(set(first.tolist())) == len(names)
    assert first.tolist() == again.tolist()[::-1]


def test_rows_without_a_user_are_each_a_user_of_their_own():
    """One hash for all of them would make one huge user of what is independent."""
    users = ["u1", None, "u1", None, []]
    raw = [b"first", b"second", b"third", b"fourth", b"fifth"]
    found = _sliced(_batch(user=users, **{RAW: raw}), user_key="user")[USERS_KEY].tolist()
    assert found[0] == found[2]
    assert len(set(found)) == 4
    # The raw row decides, so that a row is the same user in any batch.
    other = _sliced(_batch(user=[None], **{RAW: [b"fourth"]}), user_key="user")[USERS_KEY]
    assert other.tolist() == [found[3]]


def test_rows_of_one_request_have_one_hash_and_rows_without_one_have_zero():
    extracts = _batch(request=["r1", "r1", None, "r2"], **{RAW: [b"a", b"b", b"c", b"d"]})
    first, second, none, other = _sliced(extracts, request_key="request")[REQUESTS_KEY].tolist()
    assert first == second != other and none == 0 and 0 not in (first, other)


def test_a_request_without_a_user_stays_together():
    extracts = _batch(
        user=[None, None, None, "u", "r1"],
        request=["r1", "r1", None, "r1", "r1"],
        **{RAW: [b"a", b"b", b"c", b"d", b"e"]},
    )
    users = _sliced(extracts, user_key="user", request_key="request")[USERS_KEY].tolist()
    # A user who is called as the request is another one.
    assert users[0] == users[1] and len(set(users)) == 4


def test_groupings_are_hashes_with_zero_for_no_value():
    extracts = _batch(city=["b", None, "b", "c"], shop=["b", "x", "y", "z"])
    found = _sliced(extracts, groupings=["city", "shop"])[GROUPINGS_KEY]
    city, shop = found["city"].tolist(), found["shop"].tolist()
    assert city[1] == 0 and city[0] == city[2] != city[3]
    assert 0 not in (city[0], city[3], *shop)


def test_two_users_in_one_row_are_an_error_that_names_the_feature():
    extracts = _batch(user=[["u1", "u2"]], **{RAW: [b"r"]})
    with pytest.raises(ValueError, match="'user' has 2 values in one example"):
        _sliced(extracts, user_key="user")


class Served:
    """Stands for a loaded model; counts its calls."""

    def __init__(self, path, tasks, value):
        self.path, self.tasks, self.value = path, tasks, value
        self.calls, self.loaded = [], 0

    def load(self):
        self.loaded += 1

    def predict(self, examples):
        self.calls.append(examples)
        return {
            task: np.full(len(examples), self.value + place, np.float32)
            for place, task in enumerate(self.tasks)
        }


def test_all_models_see_the_same_rows_and_the_raw_rows_are_dropped():
    new, old = Served("new", ("ctr", "cvr"), 0.25), Served("old", ("ctr", "cvr"), 0.5)
    extractor = predictions_extractor({"candidate": new, "baseline": old}, ("ctr", "cvr"))
    found = _applied(extractor, _batch(**{RAW: [b"a", b"b"]}))
    predictions = found[tfma.PREDICTIONS_KEY]
    assert predictions["candidate"]["ctr"].tolist() == [0.25, 0.25]
    assert predictions["baseline"]["cvr"].tolist() == [1.5, 1.5]
    assert new.calls == old.calls == [[b"a", b"b"]]
    assert tfma.ARROW_RECORD_BATCH_KEY not in found and found["kept"] == "as it is"


def test_a_task_in_which_a_model_is_not_compared_has_no_numbers():
    new, old = Served("new", ("ctr", "cvr"), 0.25), Served("old", ("ctr",), 0.5)
    extractor = predictions_extractor({"candidate": new, "baseline": old}, ("ctr", "cvr"))
    predictions = _applied(extractor, _batch(**{RAW: [b"a", b"b"]}))[tfma.PREDICTIONS_KEY]
    assert np.isnan(predictions["baseline"]["cvr"]).all()
    assert predictions["baseline"]["cvr"].shape == (2,)
    assert np.isfinite(predictions["candidate"]["cvr"]).all()


def test_one_model_under_two_names_is_asked_once():
    served = Served("same", ("ctr",), 0.25)
    again = Served("same", ("ctr",), 0.25)
    extractor = predictions_extractor({"baseline": served, "anchor": again}, ("ctr",))
    predictions = _applied(extractor, _batch(**{RAW: [b"a"]}))[tfma.PREDICTIONS_KEY]
    assert len(served.calls) + len(again.calls) == 1
    assert predictions["baseline"]["ctr"].tolist() == predictions["anchor"]["ctr"].tolist()


class Waiting(Served):
    """Answers once another model, or another batch, is asked for as well."""

    both = threading.Barrier(2, timeout=60)

    def predict(self, examples):
        Waiting.both.wait()
        return super().predict(examples)


def test_models_are_asked_at_the_same_time():
    models = {"candidate": Waiting("new", ("ctr",), 0.25), "baseline": Waiting("old", ("ctr",), 1)}
    extractor = predictions_extractor(models, ("ctr",))
    predictions = _applied(extractor, _batch(**{RAW: [b"a"]}))[tfma.PREDICTIONS_KEY]
    assert [predictions[name]["ctr"].tolist() for name in models] == [[0.25], [1]]


def test_batches_are_predicted_side_by_side(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    models = {"candidate": Waiting("new", ("ctr",), 0.25)}
    doing = predictions_extractor(models, ("ctr",)).ptransform.fn
    doing.setup()
    doing.start_bundle()
    given = [list(doing.process(_batch(**{RAW: rows}))) for rows in ([b"a"], [b"b", b"c"])]
    found = [late.value[tfma.PREDICTIONS_KEY]["candidate"]["ctr"] for late in doing.finish_bundle()]
    assert given == [[], []] and [len(one) for one in found] == [1, 2]
    doing.teardown()


def test_raw_rows_come_as_they_are():
    extracts = _batch(**{RAW: [b"\x00\xff", b""]})
    assert raw_examples(extracts[tfma.ARROW_RECORD_BATCH_KEY]) == [b"\x00\xff", b""]


def test_a_label_that_is_not_known_has_no_weight():
    batch = with_unknown(_batch(click=[1, 0, 1], bought=[1, 0, 0]), ("cvr",))
    weights = _applied(labels_extractor((CLICK, BUY)), batch)[tfma.EXAMPLE_WEIGHTS_KEY]
    assert weights["ctr"].tolist() == [1, 1, 1] and weights["cvr"].tolist() == [0, 0, 0]
