"""Sends requests of every kind to a served model and prints what became of each, as Markdown.

    python -m benchmarks.serving_requests SAVED_MODEL [--mutations 500] [--calls 200] [--json]

It needs nothing but TensorFlow and NumPy, and builds the requests from the contract inside the
model. An outcome is "answered" (finite probabilities for all rows), "refused" with the message, or
one of three that should not be: "no number" (an answer that is none), "unreadable" (a refusal whose
text Python can't decode) and "wrong number of rows".
"""

import argparse
import base64
import collections
import json
import os
import random
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

Request = Callable[[], dict[str, tf.Tensor]]
#: Rows of the requests of which one is bad, and the position of that one.
ROWS, BAD = 100, 41


#: Kinds of features whose values are numbers.
NUMBERS = ("numeric", "weights")


class Requests:
    """Requests by name, for a model with a given contract."""

    def __init__(self, model: tf.Module, contract: dict) -> None:
        self.model, self.features = model, contract["features"]
        domain = contract.get("domain") or {}
        self.domain, self.domains = domain.get("feature"), domain.get("values", [])
        kinds = collections.defaultdict(list)
        for name, feature in self.features.items():
            kinds[feature["kind"]].append(name)
        self.kinds = kinds
        named = set(contract.get("request_features", ()))
        # Weights and values of behaviours go with what they stand beside.
        self.once = [
            name
            for name, feature in self.features.items()
            if {name, feature.get("of" if feature["kind"] == "weights" else "beside")} & named
        ]

    def example(self, **changed: list | None) -> bytes:
        """A whole example; `changed` replaces values, None leaves a feature out."""
        example = tf.train.Example()
        for name, feature in {**self.features, **dict.fromkeys(changed)}.items():
            values = changed.get(name, self.values(name, feature))
            if values is None:
                continue
            place = example.features.feature[name]
            if all(isinstance(value, float) for value in values):
                place.float_list.value.extend(values)
            elif all(isinstance(value, int) for value in values):
                place.int64_list.value.extend(values)
            else:
                place.bytes_list.value.extend(value.encode() for value in values)
        return example.SerializeToString(deterministic=True)

    def values(self, name: str, feature: dict | None) -> list:
        if feature is None or (feature["kind"] == "categorical" and not self.has_several(feature)):
            return [self.domains[0]] if name == self.domain else ["1"]
        if feature["kind"] in NUMBERS:
            return [1.0, 2.0] if self.has_several(feature) else [1.0]
        return ["1", "2"]

    @staticmethod
    def has_several(feature: dict) -> bool:
        return feature["kind"] in ("sequence", "weights") or bool(feature.get("multiple"))

    def all_of(self, kind: str, values: list | None) -> bytes:
        names = [name for name in self.kinds[kind] if name != self.domain]
        return self.example(**dict.fromkeys(names, values))

    def with_bad(self, bad: bytes) -> Request:
        batch = [self.example()] * BAD + [bad] + [self.example()] * (ROWS - BAD - 1)
        return lambda: {"examples": tf.constant(batch, tf.string)}

    def columns(self, rows: int, **changed: object) -> dict[str, tf.Tensor]:
        columns = {}
        for name, feature in self.features.items():
            value = self.values(name, feature)
            value = value if self.has_several(feature) else value[0]
            kind = tf.float32 if feature["kind"] in NUMBERS else tf.string
            columns[name] = tf.constant([value] * rows, kind) if rows else self.none(feature, kind)
        return {**columns, **changed}

    def one_user(self, items: int, **changed: object) -> dict[str, tf.Tensor]:
        """What a request has once, and so many items."""
        columns = self.columns(items)
        return {**columns, **{name: self.columns(1)[name] for name in self.once}, **changed}

    def none(self, feature: dict, kind: tf.DType) -> tf.Tensor:
        return tf.zeros([0, 2] if self.has_several(feature) else [0], kind)


def examples_requests(requests: Requests) -> dict[str, Request]:
    """Requests of serialised examples."""
    whole, some = requests.example(), next(iter(requests.features))
    categorical = requests.kinds["categorical"][0]
    numeric, sequences = requests.kinds["numeric"], requests.kinds["sequence"]

    def of(*examples: bytes) -> Request:
        return lambda: {"examples": tf.constant(list(examples), tf.string)}

    found = {
        "1 example": of(whole),
        "100 examples": of(*[whole] * 100),
        "10,000 examples": of(*[whole] * 10_000),
        "0 examples": lambda: {"examples": tf.zeros([0], tf.string)},
        "each feature missing in turn": of(
            *[requests.example(**{name: None}) for name in requests.features]
        ),
        "an example without any feature, an empty one": of(tf.train.Example().SerializeToString()),
        "a feature that the model does not know": of(requests.example(**{"not known": ["x"]})),
        "empty text in every categorical feature": of(requests.all_of("categorical", [""])),
        "values never seen": of(requests.all_of("categorical", ["never seen"])),
        "a text of 10 MB": of(requests.example(**{categorical: ["x" * 10_000_000]})),
        "NaN, infinity, 3e38 as numbers": of(
            *[requests.all_of("numeric", [float(x)]) for x in ("nan", "inf", "-inf", 3e38, -3e38)]
        ),
        f"an example that is JSON, at {BAD} of {ROWS}": requests.with_bad(b'{"user": 1}'),
        f"random bytes at {BAD} of {ROWS}": requests.with_bad(bytes(range(128, 256))),
        f"an example cut in its middle at {BAD} of {ROWS}": requests.with_bad(
            whole[: len(whole) // 2]
        ),
        f"an example as base64 at {BAD} of {ROWS}": requests.with_bad(base64.b64encode(whole)),
        f"two values in a one-value field at {BAD} of {ROWS}": requests.with_bad(
            requests.example(**{categorical: ["1", "2"]})
        ),
        f"an integer where text belongs, at {BAD} of {ROWS}": requests.with_bad(
            requests.example(**{categorical: [7]})
        ),
        "a domain that is not listed": of(requests.example(**{requests.domain or some: ["moon"]})),
    }
    if numeric:
        found[f"two numbers in a one-value field at {BAD} of {ROWS}"] = requests.with_bad(
            requests.example(**{numeric[-1]: [1.0, 2.0]})
        )
    if sequences:
        many = of(requests.example(**{sequences[0]: ["1"] * 100_000}))
        found["a sequence of 100,000 items"] = many
    return found


def columns_requests(requests: Requests) -> dict[str, Request]:
    """Requests of one tensor per feature."""
    categorical = requests.kinds["categorical"][0]
    names = [name for name in requests.kinds["categorical"] if name != requests.domain]
    empty = {name: tf.fill([3], "") for name in names}
    nan = {name: tf.fill([3], float("nan")) for name in requests.kinds["numeric"]}
    no_items = {name: tf.zeros([3, 0], tf.string) for name in requests.kinds["sequence"]}

    def without_first() -> dict[str, tf.Tensor]:
        return {k: v for k, v in requests.columns(3).items() if k != categorical}

    return {
        "columns of 1 row": lambda: requests.columns(1),
        "columns of 10,000 rows": lambda: requests.columns(10_000),
        "columns of 0 rows": lambda: requests.columns(0),
        "empty text, NaN, no items": lambda: requests.columns(3, **empty, **nan, **no_items),
        "columns of unequal length": lambda: requests.columns(
            3, **{list(requests.features)[-1]: next(reversed(requests.columns(2).values()))}
        ),
        "a column missing": without_first,
        "a column that the model does not know": lambda: requests.columns(
            3, extra=tf.fill([3], "x")
        ),
    }


def one_user_requests(requests: Requests) -> dict[str, Request]:
    """Requests of one user and many items; none where the model does not take them apart."""
    if not requests.once:
        return {}
    some = requests.once[0]
    item = next(name for name in requests.features if name not in requests.once)

    def filled(value: str) -> dict[str, tf.Tensor]:
        inputs = requests.one_user(3)
        texts = {name: x for name, x in inputs.items() if x.dtype == tf.string}
        numbers = {n: tf.fill(tf.shape(x), np.nan) for n, x in inputs.items() if n not in texts}
        return {**numbers, **{name: tf.fill(tf.shape(x), value) for name, x in texts.items()}}

    return {
        "1 user and 1 item": lambda: requests.one_user(1),
        "1 user and 10,000 items": lambda: requests.one_user(10_000),
        "1 user and 0 items": lambda: requests.one_user(0),
        "1 user and items, empty text and NaN": lambda: filled(""),
        "1 user and items, values never seen": lambda: filled("never seen"),
        "2 users and 3 items": lambda: requests.one_user(3, **{some: requests.columns(2)[some]}),
        "no user and 3 items": lambda: requests.one_user(3, **{some: requests.columns(0)[some]}),
        "items of unequal number": lambda: requests.one_user(
            3, **{item: requests.columns(2)[item]}
        ),
        "a user's column missing": lambda: {
            name: x for name, x in requests.one_user(3).items() if name != some
        },
    }


def outcome(
    model: tf.Module, signature: str, request: Request, once: list[str] | None = None
) -> tuple[str, str]:
    """What became of a request: one word, and the rows or the message."""
    inputs = request()
    rows = min(x.shape[0] for name, x in inputs.items() if name not in (once or ()))
    try:
        scores = model.signatures[signature](**inputs)
    except UnicodeDecodeError:
        return "unreadable", "the error's text is no text"
    except (TypeError, tf.errors.OpError) as error:
        return "refused", _message(error)
    if any(values.shape[0] != rows for values in scores.values()):
        return "wrong number of rows", str({name: v.shape[0] for name, v in scores.items()})
    if not all(bool(tf.reduce_all(tf.math.is_finite(v))) for v in scores.values()):
        return "no number", ""
    return "answered", f"{rows:,} rows"


def _message(error: Exception) -> str:
    """What is wrong, without TensorFlow's description of the place in its graph."""
    text = getattr(error, "message", None) or str(error)
    text = text.split("<stack traces unavailable>")[-1].split("\n\t [[")[0].strip()
    return text.split("\n")[0][:200]


def mutations(model: tf.Module, requests: Requests, number: int) -> collections.Counter:
    """One damaged example among good ones: how often what comes of it."""
    draw, found, whole = random.Random(1), collections.Counter(), requests.example()
    for _ in range(number):
        bad = bytearray(whole)
        kind = draw.choice(("bytes", "cut", "insert", "noise"))
        if kind == "bytes":
            for place in draw.sample(range(len(bad)), draw.randint(1, 4)):
                bad[place] = draw.randrange(256)
        elif kind == "cut":
            del bad[draw.randrange(len(bad)) :]
        elif kind == "insert":
            bad.insert(draw.randrange(len(bad)), draw.randrange(256))
        else:
            bad = bytearray(draw.randbytes(draw.randint(1, 60)))
        word, text = outcome(model, "serving_default", requests.with_bad(bytes(bad)))
        if word == "refused":
            named = any(f"{sign}{BAD}" in text for sign in ("positions ", "position ", "Index: "))
            word = "refused by position" if named else "refused in TensorFlow's words"
        if word not in ("refused by position", "answered") and not _can_be_parsed(bytes(bad)):
            word += ", found when parsed alone"
        found[word] += 1
    return found


def _can_be_parsed(example: bytes) -> bool:
    """What `Scorer.score_examples` asks of each example of a refused batch."""
    try:
        tf.io.parse_single_example(example, {"": tf.io.VarLenFeature(tf.string)})
    except (tf.errors.OpError, UnicodeDecodeError):
        return False
    return True


def latencies(model: tf.Module, requests: Requests, calls: int) -> dict[int, tuple[float, float]]:
    """Median and 99th percentile of a call, in milliseconds, by the number of examples."""
    found = {}
    for rows in (1, 100, 500):
        batch = tf.constant([requests.example()] * rows)
        times = []
        for _ in range(calls + 20):
            started = time.perf_counter()
            model.signatures["serving_default"](examples=batch)
            times.append(1e3 * (time.perf_counter() - started))
        found[rows] = tuple(np.percentile(times[20:], (50, 99)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="folder of a SavedModel")
    parser.add_argument("--mutations", type=int, default=500)
    parser.add_argument("--calls", type=int, default=200, help="of which latency is measured")
    parser.add_argument("--json", action="store_true", help="print JSON instead")
    arguments = parser.parse_args()
    model = tf.saved_model.load(arguments.model)
    path = os.path.join(arguments.model, "assets.extra", "serving_contract.json")
    with tf.io.gfile.GFile(path) as file:
        requests = Requests(model, json.load(file)["data_contract"])
    found = {
        name: outcome(model, signature, request, once)
        for signature, group, once in (
            ("serving_default", examples_requests(requests), []),
            ("serving_columns", columns_requests(requests), []),
            ("serving_request", one_user_requests(requests), requests.once),
        )
        for name, request in group.items()
    }
    damaged = mutations(model, requests, arguments.mutations)
    if arguments.json:
        print(json.dumps({"requests": found, "mutations": damaged}))
        return
    print("| request | outcome | |\n|---|---|---|")
    for name, (word, text) in found.items():
        print(f"| {name} | {word} | {text.replace('|', '/')} |")
    print(f"\n| one damaged example among {ROWS} | of {arguments.mutations} |\n|---|---|")
    for word, count in damaged.most_common():
        print(f"| {word} | {count} |")
    print("\n| examples in a request | p50, ms | p99, ms |\n|---|---|---|")
    for rows, (median, high) in latencies(model, requests, arguments.calls).items():
        print(f"| {rows} | {median:.1f} | {high:.1f} |")


if __name__ == "__main__":
    main()
