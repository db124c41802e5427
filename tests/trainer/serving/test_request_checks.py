"""Bad and odd requests to a served model, in a process with TensorFlow only."""

import ast
import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.serving.request_checks import (
    aligned_sequences,
    listed_domains,
    single_values,
    whole_examples,
)
from mtlx.transform.contract.domain import Domain
from tests.forked_process import run_forked

#: Runs the table of docs/reliability.md without this project, TFX and their libraries.
SCRIPT = """
import runpy, sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow_transform", "tfx", "mtlx"):
            raise ImportError(f"{name} must not be needed for serving")
sys.meta_path.insert(0, Forbidden())
runpy.run_path(sys.argv[1], run_name="__main__")
"""
ROOT = Path(__file__).parents[3]
REQUESTS = ROOT / "benchmarks" / "serving_requests.py"


@pytest.fixture(scope="module")
def outcomes(shop, tmp_path_factory):
    arguments = [str(REQUESTS), str(shop.model), "--mutations", "40", "--json"]
    # argv[0] of the inner script is the script itself.
    code = SCRIPT.replace(
        "runpy.run_path(sys.argv[1]", "sys.argv.pop(0); runpy.run_path(sys.argv[0]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env={},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


#: Requests that must be refused, and what must be said; all others must be answered.
REFUSED = {
    "an example that is JSON, at 41 of 100": "1 of 100 texts are no tf.Example at positions 41",
    "random bytes at 41 of 100": "1 of 100 texts are no tf.Example at positions 41",
    "an example cut in its middle at 41 of 100": "are no tf.Example at positions 41",
    "an example as base64 at 41 of 100": "are no tf.Example at positions 41",
    "two values in a one-value field at 41 of 100": "Feature user takes one value, but has several "
    "at position 41",
    "two numbers in a one-value field at 41 of 100": "Feature constant takes one value, but has "
    "several at position 41",
    "an integer where text belongs, at 41 of 100": "Key: user, Index: 41.",
    "columns of unequal length": "Columns of unequal length: user has 3 rows, clicks has 2",
    "a column missing": "user",
    "a column that the model does not know": "extra",
    "2 users and 3 items": "Column user has 2 rows, and a request has one for all its items",
    "no user and 3 items": "Column user has 0 rows, and a request has one for all its items",
    "items of unequal number": "item has 2 rows, odd has 3",
    "a user's column missing": "user",
}


def test_every_request_is_answered_or_refused_in_words(outcomes):
    found = outcomes["requests"]
    assert set(REFUSED) < set(found) and len(found) > 34
    for name, (word, text) in found.items():
        assert word == ("refused" if name in REFUSED else "answered"), f"{name}: {word} {text}"
        assert REFUSED.get(name, "") in text, f"{name}: {text}"


def test_damaged_examples_are_mostly_refused_by_position_and_never_answered_wrongly(outcomes):
    found = outcomes["mutations"]
    assert sum(found.values()) == 40 and found["refused by position"] > 10
    # What is damaged may still be an example, with another value. The kind of a feature's values
    # may be one that does not exist, which TensorFlow refuses without a position.
    assert set(found) <= {"refused by position", "answered", "refused in TensorFlow's words"}
    assert found.get("refused in TensorFlow's words", 0) <= 4


def _damaged_inside():
    """Examples of the right outer length whose inside is none, in bytes that are no UTF-8 text."""
    whole = _example(3)
    # The tag of the feature's entry, and tag and length of its name and of its values. (TensorFlow
    # takes an entry that claims to be too long for one that ends with the example.)
    for place in (2, 4, 5, 11, 12):
        for byte in (0x00, 0x7F, 0xFF):
            damaged = bytearray(whole)
            damaged[place] = byte
            yield bytes(damaged)


@pytest.mark.parametrize("rows, bad", [(1, 0), (100, 41)])
def test_damage_inside_an_example_is_refused_by_position_in_words(rows, bad):
    """TensorFlow alone quotes the bytes, names no position, and Python can't read its text."""
    check = tf.function(whole_examples, autograph=False)
    assert check(tf.zeros([0], tf.string)).shape == (0,)
    for damaged in _damaged_inside():
        batch = [_example(1)] * rows
        batch[bad] = damaged
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"position {bad} \(counted"):
            check(tf.constant(batch))


def test_a_domain_that_is_not_listed_is_served_or_refused(shop):
    whole = tf.train.Example.FromString(shop.examples[0])
    whole.features.feature["scenario"].bytes_list.value[:] = [b"moon"]
    batch = tf.constant([*shop.examples[:9], whole.SerializeToString()])
    served = tf.saved_model.load(str(shop.model)).signatures["serving_default"]
    assert np.isfinite(served(batch)["ctr"].numpy()).all()
    strict = tf.saved_model.load(str(shop.strict)).signatures["serving_default"]
    assert strict(batch[:9])["ctr"].shape == (9,)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        strict(batch)
    assert (
        "Feature scenario is moon at position 9 (counted from 0), which is none of the domains "
        "home_feed, search (1 such rows)" in error.value.message
    )


@pytest.mark.parametrize("unknown", ["first", "search"])
def test_only_refuse_refuses(unknown):
    domain = Domain(feature="scene", values=["feed", "search"], unknown=unknown)
    raw = {"scene": tf.constant(["moon"])}
    assert listed_domains(raw, domain) == raw and listed_domains(raw, None) == raw


def _example(items):
    example = tf.train.Example()
    example.features.feature["items"].bytes_list.value.extend([b"x"] * items)
    return example.SerializeToString()


def test_unusual_examples_that_are_whole_pass():
    """Two messages behind each other, fields of others, and lengths of up to four bytes."""
    unusual = [_example(1) + _example(2), _example(1) + b"\x10\x05", b"", b"\x0a\x00"]
    texts = [_example(n) for n in (0, 1, 40, 50, 5_000, 6_000, 800_000)] + unusual
    check = tf.function(whole_examples, autograph=False)
    assert check(tf.constant(texts)).numpy().tolist() == texts
    with pytest.raises(tf.errors.InvalidArgumentError, match="2 of 13 texts .* positions 3, 12 "):
        check(tf.constant([*texts[:3], texts[4][:-1], *texts[3:], b"\x0a"]))


def _varint(number):
    """A length as it stands before a part."""
    more, rest = number >> 7, number & 127
    return bytes([rest | 128]) + _varint(more) if more else bytes([rest])


def _example_that_tells(length, of, tag):
    """An example of one feature, in which one part tells another length than it has.

    Args:
        length: that it tells.
        of: "features", "entry", "name", "feature", "list" or "values".
        tag: kind of the values: 1 texts, 2 floats, 3 integers.
    """

    def part(name, body):
        return _varint(length if of == name else len(body)) + body

    values = b"\x0a" + part("values", {1: b"abcd", 2: bytes(4), 3: b"\x01"}[tag])
    feature = bytes([8 * tag + 2]) + part("list", values)
    entry = b"\x0a" + part("name", b"items") + b"\x12" + part("feature", feature)
    return b"\x0a" + part("features", b"\x0a" + part("entry", entry))


#: In a process of its own, since TensorFlow's parser kills the one that it runs in.
PARSES = """
import base64, json, sys
import tensorflow as tf
from mtlx.trainer.serving.request_checks import whole_examples
spec = {"items": tf.io.VarLenFeature(tf.string)}
checked = tf.function(lambda x: tf.io.parse_example(whole_examples(x), spec), autograph=False)
for text in json.loads(sys.argv[1]):
    batch = tf.constant([b"", b"", base64.b64decode(text), b""])
    try:
        print(checked(batch)["items"].values.numpy().tolist())
    except tf.errors.InvalidArgumentError as error:
        print(error.message.replace(chr(10), " "))
"""


def test_a_part_that_tells_two_gib_or_more_is_refused_by_position_and_kills_nothing():
    """2^40 + 2^31 reads as 2^31, since the parser looks at the lowest 32 bits."""
    parts = ["features", "entry", "name", "feature", "list", "values"]
    lengths = [2**31, 2**32 - 1, 2**40 + 2**31]
    texts = [_example_that_tells(n, of, tag) for n in lengths for of in parts for tag in (1, 2, 3)]
    # As long as it says: ten bytes of Chinese, which look like such a length.
    chance = tf.train.Example()
    chance.features.feature["items"].bytes_list.value.append("\u4e2d\u56fd\u4e2dx".encode())
    texts.append(chance.SerializeToString())
    assert b"\x0a\xe4\xb8\xad\xe5\x9b" in texts[-1]
    given = json.dumps([base64.b64encode(text).decode() for text in texts])
    done = run_forked([sys.executable, "-c", PARSES, given])
    assert done.returncode == 0, done.stderr[-2000:]
    *refused, answered = done.stdout.splitlines()
    assert len(refused) == 54 and "\u4e2d".encode() in ast.literal_eval(answered)[0]
    for said in refused:
        assert "1 of 4 texts are no tf.Example at positions 2 (counted from 0)" in said


def _sparse(rows):
    """Texts by row."""
    return tf.RaggedTensor.from_row_lengths([b"x"] * sum(rows), rows).to_sparse()


def test_several_values_are_refused_by_the_first_feature_and_its_first_row():
    parsed = {"a": [1, 0, 1, 1], "b": [1, 1, 0, 2], "c": [3, 1, 1, 1]}
    parsed = {name: _sparse(rows) for name, rows in parsed.items()}
    assert single_values(parsed, ["a"])["b"].shape == (4, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="b takes one .* at position 3 "):
        single_values(parsed, ["a", "b", "c"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="c takes one .* at position 0 "):
        single_values(parsed, ["c", "b"])


def test_a_refusal_does_not_make_the_exported_graph_grow_with_every_feature():
    """An operation for each costs time at every export, and at every load of the model."""

    def operations(features):
        names = [f"feature_{place}" for place in range(features)]
        function = tf.function(lambda parsed: single_values(parsed, names), autograph=False)
        spec = dict.fromkeys(names, tf.SparseTensorSpec([None, None], tf.string))
        graph = function.get_concrete_function(spec).graph.as_graph_def()
        return len(graph.node) + sum(len(one.node_def) for one in graph.library.function)

    assert (operations(30) - operations(10)) / 20 < 20


def test_behaviours_are_refused_by_the_first_ones_and_their_first_row():
    """The first in the order of the contract, whatever is wrong with later ones."""
    rows = {"a": [1, 0, 2], "a_shop": [1, 0, 2], "b": [1, 2, 2], "b_shop": [1, 1, 2]}
    rows |= {"c": [0, 1, 1], "c_shop": [3, 1, 1]}
    parsed = {name: _sparse(lengths) for name, lengths in rows.items()}
    sound, *wrong = [("a", "a_shop"), ("b", "b_shop"), ("c", "c_shop")]
    assert aligned_sequences(parsed, [sound])["c"].shape == (3, 1)
    for behaviours, refusal in (
        ([sound, *wrong], "b_shop has 1 values at position 1 .* and b has 2: "),
        ([*reversed(wrong), sound], "c_shop has 3 values at position 0 .* and c has 0: "),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"Feature {refusal}"):
            aligned_sequences(parsed, behaviours)


def test_further_behaviours_add_no_condition_to_the_exported_graph():
    def functions(sequences):
        pairs = [(f"items_{place}", f"shops_{place}") for place in range(sequences)]
        function = tf.function(lambda parsed: aligned_sequences(parsed, pairs), autograph=False)
        names = [name for pair in pairs for name in pair]
        spec = dict.fromkeys(names, tf.SparseTensorSpec([None, None], tf.string))
        graph = function.get_concrete_function(spec).graph.as_graph_def()
        return len(graph.library.function)

    assert functions(5) == functions(1)
