"""Requests that no caller should send, and some will: each may be refused or answered, no more."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from mtlx.trainer.serving.signatures import (
    COLUMNS_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REQUEST_SIGNATURE,
)
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature

#: What it is, the signature that it is sent to, and the inputs by name.
HostileRequest: TypeAlias = tuple[str, str, dict[str, np.ndarray]]

#: Good rows around a bad one.
_AROUND = 9
_NOT_UTF8 = b"\xff\xfe\x00gr\xf6\xdfe"
_LONG = b"x" * 1_000_000
_ODD_NUMBERS = (float("nan"), float("inf"), float("-inf"), 3e38, -3e38, 1e-45)
#: Longest sequence that is sent.
_ITEMS = 20_000


def hostile_requests(
    examples: list[bytes], columns: dict[str, np.ndarray], contract: DataContract
) -> list[HostileRequest]:
    """Makes them of real rows.

    Args:
        examples: serialised `tf.Example`s without labels, at least one.
        columns: the same rows, see `columns_of`.
        contract: of the run.
    """
    few = {name: values[:2] for name, values in columns.items()}
    return [
        *(
            (title, EXAMPLES_SIGNATURE, {"examples": batch})
            for title, batch in _batches(examples, next(iter(contract.features)))
        ),
        *(
            (title, EXAMPLES_SIGNATURE, {"examples": _array([changed])})
            for title, changed in _changed_examples(examples[0], contract)
        ),
        *((title, COLUMNS_SIGNATURE, inputs) for title, inputs in _changed_columns(few, contract)),
        *((title, REQUEST_SIGNATURE, inputs) for title, inputs in _changed_requests(few, contract)),
    ]


def _batches(examples: list[bytes], feature: str) -> Iterator[tuple[str, np.ndarray]]:
    """Whole requests, and such with one text that is no example between good ones."""
    whole = examples[0]
    yield "no row", np.zeros([0], object)
    yield "2,000 rows", _array((examples * (2000 // len(examples) + 1))[:2000])
    yield "numbers for examples", np.array([1.0, 2.0], np.float32)
    yield "a table of examples", _array(examples[:2] * 2).reshape(2, -1)
    damaged = {
        "an empty text": b"",
        "a text that is JSON": b'{"item": 1}',
        "bytes that are no example": bytes(range(128, 256)),
        "an example cut in its middle": whole[: len(whole) // 2],
        "an example with more bytes behind it": whole + b"\x00\x07",
        "an example that tells a length of 4 GiB": b"\x0a\xff\xff\xff\xff\x0f" + whole,
        "an example with a text that tells a length of 2 GiB": _telling_two_gib(feature.encode()),
        "an example with a byte changed": whole[:1] + b"\xff" + whole[2:],
    }
    for title, text in damaged.items():
        around = (examples * _AROUND)[:_AROUND]
        yield f"{title} among {_AROUND} good ones", _array([*around, text])


def _telling_two_gib(feature: bytes) -> bytes:
    """An example of one text that is shorter than it tells; TensorFlow's parser can die of it."""

    def part(tag: bytes, body: bytes) -> bytes:
        return tag + _length(len(body)) + body

    values = b"\x0a" + _length(1 << 31) + b"abcd"
    entry = part(b"\x0a", feature) + part(b"\x12", part(b"\x0a", values))
    return part(b"\x0a", part(b"\x0a", entry))


def _length(number: int) -> bytes:
    """As Protocol Buffers write it: seven bits a byte, the lowest first."""
    digits = []
    while number >= 128:
        digits.append(number % 128 + 128)
        number //= 128
    return bytes([*digits, number])


def _array(texts: list[bytes]) -> np.ndarray:
    return np.array(texts, object)


def _changed_examples(whole: bytes, contract: DataContract) -> Iterator[tuple[str, bytes]]:
    """One example at a time."""
    kinds = _by_kind(contract)
    yield "an example without any feature", tf.train.Example().SerializeToString()
    yield "a feature that is not known", _with(whole, ["not known"], bytes_list=[b"x"])
    for name in contract.features:
        yield f"an example without {name}", _with(whole, [name])
    texts, numbers, sequences = (kinds[kind] for kind in ("categorical", "numeric", "sequence"))
    lists = kinds["numbers"]
    every = [*texts, *sequences]
    for title, value in {
        "values never seen": b"\xe2\x98\x83 never seen",
        "empty texts": b"",
        "texts that are not UTF-8": _NOT_UTF8,
        "texts of zero bytes": b"\0\0",
        "texts with a line break": b"a\nb\r",
        "texts of 1 MB": _LONG,
    }.items():
        yield title, _with(whole, every, bytes_list=[value])
    yield "lists without a value", _with(whole, list(contract.features), bytes_list=[])
    yield "whole numbers for texts", _with(whole, every, int64_list=[7])
    yield "two values for one", _with(whole, texts, bytes_list=[b"1", b"2"])
    for number in _ODD_NUMBERS:
        yield f"{number} for every number", _with(whole, numbers, float_list=[number])
    yield "texts for numbers", _with(whole, numbers, bytes_list=[b"7"])
    yield "whole numbers for numbers", _with(whole, numbers, int64_list=[-(2**63)])
    yield "two numbers for one", _with(whole, numbers, float_list=[1.0, 2.0])
    yield f"{_ITEMS:,} items in a sequence", _with(whole, sequences, bytes_list=[b"1"] * _ITEMS)
    yield "sequences out of step", _with(whole, sequences[:1], bytes_list=[b"1"] * 3)
    for title, given in _odd_lists(lists):
        yield title, _with(whole, lists, float_list=given)
    vectors = [
        (name, feature.size)
        for name, feature in contract.features.items()
        if isinstance(feature, VectorFeature)
    ]
    for number in (3e38, -3e38) if vectors else ():
        example = whole
        for name, size in vectors:
            example = _with(example, [name], float_list=[number] * size)
        yield f"{number} for every number of vectors", example
    if contract.weighted:
        example = whole
        for of, weights in contract.weighted:
            example = _with(example, [of], bytes_list=[b"1"])
            example = _with(example, [weights], float_list=[3e38])
        yield "3e+38 for every weight", example


def _by_kind(contract: DataContract) -> dict[str, list[str]]:
    """Names of features: of texts, of numbers, of lists of texts, and of lists of numbers."""
    kinds: dict[str, list[str]] = {"categorical": [], "numeric": [], "sequence": [], "numbers": []}
    for name, feature in contract.features.items():
        if feature.takes_one:
            kinds["categorical" if feature.holds == "text" else "numeric"].append(name)
        else:
            kinds["sequence" if feature.holds == "text" else "numbers"].append(name)
    return kinds


def _with(whole: bytes, names: list[str], **values: list[bytes] | list[int] | list[float]) -> bytes:
    """An example with these values for features; without any, the features are left out."""
    example = tf.train.Example.FromString(whole)
    for name in names:
        example.features.feature.pop(name, None)
        for kind, given in values.items():
            place = getattr(example.features.feature[name], kind)
            place.SetInParent()
            place.value.extend(given)
    return example.SerializeToString(deterministic=True)


def _odd_lists(names: list[str]) -> Iterator[tuple[str, list[float]]]:
    """Vectors of another length, negative weights, and the like; none without such features."""
    if names:
        yield "lists of 77 numbers", [1.0] * 77
        yield "lists of a number that is none", [float("nan")]
        yield "lists of -1", [-1.0]


def _changed_columns(
    columns: dict[str, np.ndarray], contract: DataContract
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Two rows, or what takes their place."""
    kinds = _by_kind(contract)
    texts, numbers, sequences = (kinds[kind] for kind in ("categorical", "numeric", "sequence"))
    some = next(iter(columns))

    def filled(names: list[str], value: object) -> dict[str, np.ndarray]:
        changed = {name: np.full_like(columns[name], value) for name in names}
        return {**columns, **changed}

    yield "no row", {name: values[:0] for name, values in columns.items()}
    yield "no column", {}
    yield f"columns without {some}", {k: v for k, v in columns.items() if k != some}
    yield "a column that is not known", {**columns, "not known": columns[some]}
    yield "columns of unequal length", {**columns, some: columns[some][:1]}
    yield "a column of tables", {**columns, some: columns[some][..., np.newaxis]}
    for title, value in {
        "values never seen": b"\xe2\x98\x83 never seen",
        "empty texts": b"",
        "texts that are not UTF-8": _NOT_UTF8,
        "texts of zero bytes": b"\0\0",
        "texts of 1 MB": _LONG,
    }.items():
        yield title, filled(texts + [name for name in sequences if columns[name].size], value)
    if numbers:
        for number in _ODD_NUMBERS:
            yield f"{number} for every number", filled(numbers, number)
        as_texts = {name: np.full(2, b"7", object) for name in numbers}
        yield "texts for numbers", {**columns, **as_texts}
    if texts:
        yield "numbers for texts", {**columns, texts[0]: np.array([1.0, 2.0], np.float32)}
    if sequences:
        rows = len(columns[sequences[0]])
        for length in (0, _ITEMS):
            lists = {name: np.full((rows, length), b"1", object) for name in sequences}
            yield f"sequences of {length:,} items", {**columns, **lists}
        longer = {sequences[0]: np.full((rows, 77), b"1", object)}
        yield "sequences out of step", {**columns, **longer}
    names = kinds["numbers"]
    for title, given in _odd_lists(names):
        rows = len(columns[names[0]])
        wrong = {name: np.tile(np.array(given, np.float32), (rows, 1)) for name in names}
        yield title, {**columns, **wrong}


def _changed_requests(
    columns: dict[str, np.ndarray], contract: DataContract
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Two items and what is said of them once, or what takes its place; none without the latter."""
    side = contract.request_side
    if not side:
        return
    once = {name: values[:1] for name, values in columns.items() if name in side}
    items = {name: values for name, values in columns.items() if name not in side}
    some, item = next(iter(once)), next(iter(items))
    yield "a request of two rows", columns
    yield "a request of no row", {**items, **{name: values[:0] for name, values in once.items()}}
    yield f"a request without {some}", {k: v for k, v in {**items, **once}.items() if k != some}
    yield "a request of one row in some columns", {**columns, some: columns[some][:1]}
    yield "a request without items", {**once, **{n: values[:0] for n, values in items.items()}}
    if len(items) > 1:
        yield "items of unequal number", {**items, **once, item: items[item][:1]}
    for title, inputs in _changed_columns({**items, **once}, contract):
        yield f"a request, {title}", inputs
