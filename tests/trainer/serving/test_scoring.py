"""The scorer on data frames of every type, against what LogExampleGen made of the same log."""

import datetime
import decimal
import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mtlx.trainer.serving import scoring
from mtlx.trainer.serving.scoring import Scorer, ScoringError
from tests.trainer.served_log import ODD, ROWS

#: Runs in a process that can import neither this project nor TFX, beside a copy of the scorer.
ELSEWHERE = """
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow_transform", "tfx", "mtlx", "pyarrow"):
            raise ImportError(f"{name} must not be needed for scoring")
sys.meta_path.insert(0, Forbidden())
import pandas as pd
from scoring import Scorer
scorer = Scorer(sys.argv[1])
frame = pd.read_pickle(sys.argv[2])
scorer.score(frame, batch_rows=50).to_pickle(sys.argv[3])
print(scorer.counts().to_json())
"""


@pytest.fixture(scope="module")
def expected(shop):
    """What the evaluated signature gives on the examples of the log."""
    signature = tf.saved_model.load(str(shop.model)).signatures["serving_default"]
    scores = signature(tf.constant(shop.examples))
    return pd.DataFrame({task: values.numpy() for task, values in scores.items()})


@pytest.fixture(scope="module")
def scorer(shop):
    """Of the folder of versions."""
    return Scorer(str(shop.model.parent))


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _difference(scores, expected):
    return np.abs(scores[["ctr", "cvr"]].to_numpy() - expected[["ctr", "cvr"]].to_numpy()).max()


def test_the_logs_own_frame_scores_as_its_examples(shop, scorer, expected):
    scores = scorer.score(shop.frame.set_index(shop.frame.index + 1000))
    assert _difference(scores, expected) < 1e-6
    assert scores.index[0] == 1000 and list(scores.columns) == ["ctr", "cvr"]
    assert scores["ctr"].std() > 0.01, "the weights are such that values matter"


#: Ways in which a frame may hold the items' ids; all of them are the log's ids.
ID_TYPES = {
    "int32": lambda ids: ids.astype("int32"),
    "double": lambda ids: ids.astype(float),
    "float32": lambda ids: ids.astype("float32"),
    "nullable": lambda ids: ids.astype("Int64"),
    "text": lambda ids: ids.astype(str),
    "string type": lambda ids: ids.astype(str).astype("string"),
    "bytes": lambda ids: ids.astype(str).str.encode("utf-8"),
    "objects": lambda ids: ids.astype(object),
    "mixed": lambda ids: pd.Series(
        [int(x) if n % 2 else float(x) for n, x in enumerate(ids)], dtype=object
    ),
    "decimal": lambda ids: ids.map(lambda x: decimal.Decimal(f"{x}.00")),
    "category": lambda ids: ids.astype("category"),
    "category of doubles": lambda ids: ids.astype(float).astype("category"),
}


@pytest.mark.parametrize("kind", ID_TYPES)
def test_ids_of_every_type_are_the_same_tokens(shop, scorer, expected, kind):
    frame = shop.frame.assign(item_id=ID_TYPES[kind](shop.frame["item_id"]))
    assert _difference(scorer.score(frame), expected) < 1e-6


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NaT, pd.NA, "", decimal.Decimal("NaN")])
def test_every_kind_of_nothing_is_a_missing_value(shop, scorer, nothing):
    """Of a category, a number, a sequence and an item of one."""
    frame = shop.frame.head(20).astype({"item_id": object, "price": object})
    examples = [tf.train.Example.FromString(example) for example in shop.examples[:20]]
    for name in ("item_id", "price", "clicks"):
        frame[name] = pd.Series([nothing] * 20, dtype=object)
    for name in ("item", "price", "clicks"):
        for example in examples:
            example.features.feature[name].Clear()
    signature = tf.saved_model.load(str(shop.model)).signatures["serving_default"]
    scores = signature(tf.constant([example.SerializeToString() for example in examples]))
    expected = pd.DataFrame({task: values.numpy() for task, values in scores.items()})
    assert _difference(scorer.score(frame), expected) < 1e-6
    frame["clicks"] = pd.Series([[nothing, nothing]] * 20)
    assert _difference(scorer.score(frame), expected) < 1e-6


SEQUENCE_TYPES = {
    "integers": lambda items: [int(item) for item in items],
    "array": lambda items: np.array(items, "int64"),
    "doubles": lambda items: np.array(items, float),
    "doubles with a hole": lambda items: [np.nan, *map(float, items), None],
    "tuple": tuple,
    "text": "|".join,
    "bytes": lambda items: "|".join(items).encode(),
}


@pytest.mark.parametrize("kind", SEQUENCE_TYPES)
def test_sequences_of_every_type_are_the_same_tokens(shop, scorer, expected, kind):
    sequences = [SEQUENCE_TYPES[kind](items) for items in shop.frame["clicks"]]
    frame = shop.frame.assign(clicks=pd.Series(sequences, dtype=object))
    assert _difference(scorer.score(frame), expected) < 1e-6


def test_sequences_of_one_id_may_come_as_numbers(shop, scorer):
    """As pandas reads a CSV column in which no sequence is longer."""
    frame = shop.frame.head(10)
    one = frame["item_id"].astype(float)
    as_lists = scorer.score(frame.assign(clicks=one.map(lambda x: [str(int(x))])))
    assert _difference(scorer.score(frame.assign(clicks=one)), as_lists) == 0


def test_numbers_may_be_text(shop, scorer, expected):
    text = shop.frame["price"].map(lambda x: "" if np.isnan(x) else f" +{np.float32(x)} ")
    frame = shop.frame.assign(price=text, stock=shop.frame["stock"].astype("Int64"))
    assert _difference(scorer.score(frame), expected) < 1e-6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.datetime(2026, 1, 31, 12, 30), "2026-01-31 12:30:00"),
        (pd.Timestamp("2026-01-31 12:30:00.500"), "2026-01-31 12:30:00.5"),
        (pd.Timestamp("2026-01-31 12:30:00+02:00"), "2026-01-31 10:30:00Z"),
        (np.datetime64("2026-01-31T12:30"), "2026-01-31 12:30:00"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (True, "true"),
        (np.bool_(False), "false"),
        (-0.0, "0"),
        (np.float16(2048), "2048"),
        (2.0**53, "9007199254740992"),
        (-(2**70), "-1180591620717411303424"),
        (decimal.Decimal("0.50"), "0.5"),
    ],
)
def test_texts_of_other_types_are_those_of_the_logs_reader(value, text):
    assert scoring._text(value) == text


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("item_id", 0.5, "position 3: a category should be a text or a whole number"),
        ("item_id", float("inf"), "position 3: a category should be"),
        ("item_id", 2.0**53 + 2, "exact up to 9007199254740992 only"),
        ("item_id", np.float32(2**24 + 2), r"up to 16777216 only.*Received: 16777218\.0"),
        ("item_id", ["5345439"], "several values where one is expected"),
        ("item_id", 1j, "a complex is no category"),
        ("item_id", "\ud800", "half a character"),
        ("item_id", b"\xff", "not UTF-8"),
        ("clicks", [1.5], "a category should be"),
        ("clicks", {"5345439": 1}, "several values"),
        ("price", "1,234.5", "not a number. Received: '1,234.5'"),
        ("price", "nan", "not a number"),
        ("price", pd.Timestamp(0), "a Timestamp is no number"),
        ("price", [1.0], "several values where one number"),
    ],
)
def test_a_value_that_no_log_could_hold_is_refused_by_its_place(
    shop, scorer, column, value, message
):
    frame = shop.frame.head(9).astype({column: object})
    frame.at[3, column] = value
    with pytest.raises(ScoringError, match=message) as error:
        scorer.score(frame)
    assert f"column {column!r}, position 3" in str(error.value)


def test_columns_that_are_missing_or_twice_there_are_refused_by_name(shop, scorer):
    frame = shop.frame.rename(columns={"item_id": "itemid", "price": "cost"})
    with pytest.raises(ScoringError, match=r"'item_id' \(did you mean 'itemid'\?\); no column 'pr"):
        scorer.score(frame)
    twice = pd.concat([shop.frame, shop.frame[["brand"]]], axis=1)
    with pytest.raises(ScoringError, match="'brand' stands 2 times"):
        scorer.score(twice)


def test_extra_columns_are_named_once(shop, expected):
    scorer = Scorer(str(shop.model))
    frame = shop.frame.assign(time=1, note="x")
    with pytest.warns(UserWarning, match="does not read time, note"):
        assert _difference(scorer.score(frame), expected) < 1e-6
    scorer.score(frame)


def test_it_counts_what_the_model_does_not_know(shop):
    scorer = Scorer(str(shop.model))
    frame = shop.frame.head(8).astype({"item_id": object}).reset_index(drop=True)
    frame["item_id"] = ["5345439.0", None, 1, 2, *frame["item_id"][4:]]
    frame["scenario"] = ["moon", "", *["home_feed"] * 6]
    frame["price"] = [1e9, -1e9, np.nan, np.inf, *shop.frame["price"].quantile([0, 1, 0.5, 0.5])]
    frame["rating"] = [0.0, 6.0, 1.0, 5.0, 3.0, 3.0, 3.0, 3.0]
    frame["clicks"] = [["5345439.0", "x"], [], *[["x"]] * 6]
    with pytest.warns(UserWarning, match="8 of 8 values of 'clicks' are unknown"):
        scorer.score(frame, batch_rows=3)
    counts = scorer.counts()
    assert counts.loc["item"].tolist() == [7, 1, 3, 0]
    assert counts.loc["clicks"].tolist() == [8, 1, 8, 0]
    assert counts.loc["price"].tolist() == [6, 2, 0, 2]
    assert counts.loc["rating"].tolist() == [8, 0, 0, 2]
    assert counts.loc["(domain)"].tolist() == [6, 0, 2, 0]
    assert counts.loc["brand", "unknown"] == 0 and counts.loc["user", "present"] == 8


def test_the_log_itself_holds_nothing_unknown_but_line_breaks(shop, expected):
    """They can't stand in a vocabulary's file, and so have the id of the unknown everywhere."""
    scorer = Scorer(str(shop.model))
    scorer.score(shop.frame)
    counts = scorer.counts()
    broken = shop.frame["odd"].str.contains("[\r\n]").sum()
    assert counts["unknown"].drop(["odd", "item", "clicks"]).sum() == 0
    assert counts.loc["odd", "unknown"] == broken > 0
    # The test split is a hundredth of the log: it may hold what training did not see.
    assert counts.loc[["item", "clicks"], "unknown"].sum() <= 2
    assert counts["clipped"].sum() <= 2


@pytest.mark.parametrize("column", ["rating", "price", "stock", "discount"])
def test_numbers_far_outside_score_as_the_end_of_the_training_range(shop, scorer, column):
    seen = shop.frame[column].iloc[: len(shop.trained)]
    frame = shop.frame.iloc[[0] * 4].assign(odd="plain")
    frame[column] = [seen.min(), seen.min() - 1000, seen.max(), seen.max() + 1000]
    scores = scorer.score(frame)["ctr"].round(6).tolist()
    assert scores[0] == scores[1] != scores[2] == scores[3]


@pytest.mark.parametrize("rows", [0, 1, 10_000])
def test_any_number_of_data_frame_rows(shop, scorer, expected, rows):
    frame = shop.frame.drop(columns=["odd"]).assign(odd="plain")
    frame = frame.iloc[np.arange(rows) % len(frame)]
    scores = scorer.score(frame)
    assert scores.shape == (rows, 2) and np.isfinite(scores.to_numpy()).all()
    assert (scores.dtypes == "float32").all()


def test_examples_that_are_none_are_refused_by_their_positions(shop, scorer, expected):
    assert _difference(scorer.score_examples(shop.examples, batch_rows=64), expected) < 1e-6
    inside = bytearray(shop.examples[70])
    inside[5:9] = b"\xff\xff\xff\xff"
    bad = [*shop.examples[:70], bytes(inside), b"{}", *shop.examples[72:]]
    with pytest.raises(
        ScoringError, match=r"2 texts are no tf.Example, at positions 70, 71 \(from"
    ):
        scorer.score_examples(bad, batch_rows=64)
    # A text of 4 GiB, which TensorFlow's parser passes over where it isn't asked for the feature.
    told = b"\x0a\x12\x0a\x10\x0a\x01x\x12\x0b\x0a\x09\x0a\xff\xff\xff\xff\x0fabc"
    with pytest.raises(ScoringError, match=r"1 texts are no tf.Example, at positions 1 \(from"):
        scorer.score_examples([shop.examples[0], told])
    typed = tf.train.Example()
    typed.features.feature["item"].int64_list.value.append(5345439)
    typed = [*shop.examples[:66], typed.SerializeToString(), *shop.examples[:9]]
    with pytest.raises(ScoringError, match=r"at position 66 \(from 0\): .*Key: item.*type: string"):
        scorer.score_examples(typed, batch_rows=64)


def test_a_process_with_tensorflow_and_pandas_only(shop, scorer, expected, tmp_path):
    shutil.copy(scoring.__file__, tmp_path / "scoring.py")
    shop.frame.to_pickle(tmp_path / "frame.pickle")
    command = [sys.executable, "-c", ELSEWHERE, str(shop.model.parent), "frame.pickle", "out"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert _difference(pd.read_pickle(tmp_path / "out"), expected) < 1e-6
    assert json.loads(done.stdout)["present"]["user"] == len(shop.frame)


def test_models_that_can_not_be_scored_with_are_refused(shop, tmp_path):
    with pytest.raises(ScoringError, match="holds no SavedModel"):
        Scorer(str(tmp_path))
    shutil.copytree(shop.model, tmp_path / "3")
    (tmp_path / "9").mkdir()  # A version that is not whole.
    path = tmp_path / "3" / scoring.CONTRACT_FILE
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "format": 4}))
    with pytest.raises(ScoringError, match="3/assets.extra.*is of format 4"):
        Scorer(str(tmp_path))
    path.unlink()
    with pytest.raises(ScoringError, match="exported by an older release"):
        Scorer(str(tmp_path))


def test_markers_of_the_contract_are_missing_values(shop, scorer, tmp_path):
    shutil.copytree(shop.model, tmp_path / "model")
    path = tmp_path / "model" / scoring.CONTRACT_FILE
    stored = json.loads(path.read_text())
    stored["data_contract"]["missing"] = ["", "NULL", "-1"]
    path.write_text(json.dumps(stored))
    frame = shop.frame.head(6).astype({"item_id": object}).assign(odd="plain")
    empty = frame.assign(item_id=None, clicks=None, stock=None, price=None)
    marked = frame.assign(item_id=" NULL\t", clicks="NULL| NULL|-1", stock=-1, price=" -1 ")
    assert _difference(Scorer(str(tmp_path / "model")).score(marked), scorer.score(empty)) == 0


def test_a_domain_that_the_contract_refuses_is_refused_by_its_place(shop):
    scorer = Scorer(str(shop.strict))
    frame = shop.frame.head(20).assign(odd="plain")
    scorer.score(frame)
    frame["scenario"] = ["home_feed"] * 17 + ["moon", None, "home_feed"]
    message = r"column 'scenario', position 17: 'moon' is none of the domains .*\(2 such rows"
    with pytest.raises(ScoringError, match=message):
        scorer.score(frame)


def test_odd_values_have_ids_of_their_own_in_the_moved_model(shop, scorer, expected):
    """As in training; those with a line break share the id of the unknown, there and here."""
    rows = len(shop.trained)
    assert rows >= ROWS * 0.9
    for index, task in enumerate(("ctr", "cvr")):
        np.testing.assert_allclose(shop.trained[:, index], expected[task][:rows], atol=1e-6)
    frame = shop.frame.iloc[[0] * (len(ODD) + 2)].assign(odd=[*ODD, "never seen", None])
    found = scorer.score(frame)["ctr"].round(6)
    scores = dict(zip([*ODD, "unknown", "missing"], found, strict=True))
    broken = [value for value in ODD if "\r" in value or "\n" in value]
    assert len(broken) == 4 and {scores[value] for value in broken} == {scores["unknown"]}
    assert len(set(scores.values())) == len(scores) - len(broken)


def _documentation():
    return (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")


def test_the_documented_snippets_run(shop, tmp_path):
    """All Python blocks, and the body of the REST request as tensors of the signature."""
    blocks = re.findall(r"```python\n(.*?)```", _documentation(), re.DOTALL)
    places = {}
    *first, of_a_request = (
        block.replace("/models/my-shop", str(shop.documented.parent)) for block in blocks
    )
    assert len(first) == 2
    with pytest.warns(UserWarning, match="3 of 4 values of 'clicks' are unknown"):
        for block in first:
            exec(block, places)
    assert places["probabilities"].shape == (3, 1)
    counts = places["scorer"].counts()
    assert counts.loc["(domain)", "unknown"] == 1 and counts.loc["item_id", "present"] == 2
    scores = places["scores"]["click"].numpy()
    assert scores.shape == (1,) and 0 < scores[0] < 1
    exec(of_a_request, places)
    assert places["scores"]["click"].shape == (3,)
    (body,) = re.findall(r"predict -d '(\{.*?\})'", _documentation(), re.DOTALL)
    request = json.loads(body)
    signature = places["model"].signatures[request["signature_name"]]
    kinds = signature.structured_input_signature[1]
    inputs = {
        name: tf.constant(values, kinds[name].dtype) for name, values in request["inputs"].items()
    }
    assert signature(**inputs)["click"].shape == (2,)
