"""Scores data frames with a served model, with nothing but TensorFlow and pandas.

One file without imports of this project: copy it beside a model, or import it from here. It makes
of a data frame's columns the texts and numbers that the model was trained on, whatever types the
columns have: an id is ``5345439`` as an integer, as a text, and as the double that a null among
integers makes of a column.

    scorer = Scorer("/models/my-shop")      # a SavedModel, or a folder with versions of it
    probabilities = scorer.score(frame)     # a column per task
    probabilities = scorer.score_request(user, items)   # one user, a data frame of items
    print(scorer.counts())                  # missing, unknown and clipped values so far
"""

import datetime
import decimal
import difflib
import json
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from google.protobuf.message import DecodeError

#: Where a SavedModel holds what its columns mean.
CONTRACT_FILE = "assets.extra/serving_contract.json"
#: The newest form of that file that is understood here.
CONTRACT_FORMAT = 3
_KINDS = ("present", "missing", "unknown", "clipped")
#: A warning is due where more than this share of a feature's values is unknown to the model.
_UNKNOWN_SHARE = 0.5
#: Up to here a floating-point number, by its bytes, holds whole numbers exactly.
_EXACT = {2: 2**11, 4: 2**24, 8: 2**53}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: Python can't read an error that quotes the bytes of an example.
_REFUSALS = (tf.errors.OpError, UnicodeDecodeError)
_SEVERAL = (list, tuple, set, dict, np.ndarray, pd.Series)
_BLANKS = " \t\n\v\f\r"


class ScoringError(ValueError):
    """The model or the data is not what scoring needs; the text says what to do."""


class Scorer:
    """A served model for data frames.

    Args:
        folder: a SavedModel, or a folder with one per version number, whose largest is taken.

    Attributes:
        path: the SavedModel's folder.
        columns: by feature, the column of the log that a data frame must hold.
        request_columns: those of them that `score_request` takes once, of the request.
        tasks: names of the columns that `score` gives.

    Raises:
        ScoringError: no such model, or one that was exported without its contract.
    """

    def __init__(self, folder: str) -> None:
        self.path = _saved_model(os.fspath(folder))
        contract = _read_contract(self.path)
        self._features: dict[str, dict[str, Any]] = contract["features"]
        self._domain: dict[str, Any] | None = contract.get("domain")
        self._markers = {"", *contract.get("missing", ())}
        self._marker_numbers = [np.float32(x) for x in self._markers if _NUMBER.fullmatch(x)]
        self._labels = {_column(task["label"]) for task in contract["tasks"].values()}
        self.tasks = list(contract["tasks"])
        self.columns = {name: feature["column"] or name for name, feature in self._features.items()}
        self._owners = {
            feature["of"]: name
            for name, feature in self._features.items()
            if feature["kind"] == "weights"
        }
        self._behaviours = [
            [first, *(name for name, part in self._features.items() if part.get("beside") == first)]
            for first in dict.fromkeys(part.get("beside") for part in self._features.values())
            if first is not None
        ]
        named = set(contract.get("request_features", ()))
        self._once = [
            name
            for name, feature in self._features.items()
            if name in named or _goes_with(feature) in named
        ]
        self.request_columns = [self.columns[name] for name in self._once]
        self._model = tf.saved_model.load(self.path)
        self._extra_named: set[str] = set()
        self._counts = pd.DataFrame(0, index=list(self._features), columns=list(_KINDS))
        self._unlisted = np.zeros(2, np.int64)  # Rows, and those of no known domain.

    def score(self, frame: pd.DataFrame, batch_rows: int = 4096) -> pd.DataFrame:
        """Predicts.

        Args:
            frame: a row per example, with the log's columns. Sequences, several values, weights and
                vectors are lists, tuples, arrays, or texts with the log's separator. Columns that
                the model does not read are left aside, and named once.
            batch_rows: rows that are predicted together.

        Returns:
            ``(rows, tasks)`` float32 probabilities with the frame's index.

        Raises:
            ScoringError: a column is missing, or a value is nothing that the model could have
                been trained on: names column, position (counted from 0) and value. No row is
                scored then.
        """
        self._check_columns(frame, self._features)
        inputs = self._checked({name: self._converted(name, frame) for name in self._features})
        return self._scores("serving_columns", inputs, (), frame.index, batch_rows)

    def score_request(
        self, request: Mapping[str, Any], items: pd.DataFrame, batch_rows: int = 4096
    ) -> pd.DataFrame:
        """Predicts for one user, or request, and many items.

        Args:
            request: a value by column, of those in `request_columns`; others are left aside.
            items: a row per item, with all other columns.
            batch_rows: items that are predicted together.

        Returns:
            What `score` gives for rows that hold the request's values beside each item.

        Raises:
            ScoringError: see `score`; or the model does not know what is a request's.
        """
        if not self._once:
            raise ScoringError(
                f"the model in {self.path} does not know what is a request's and what an item's: "
                "name its features in request_features and train it anew, or call score"
            )
        once = pd.DataFrame({name: pd.Series([value]) for name, value in request.items()})
        own = [name for name in self._features if name not in self._once]
        self._check_columns(once, self._once)
        self._check_columns(items, own)
        inputs = {name: self._converted(name, once) for name in self._once}
        inputs |= {name: self._converted(name, items) for name in own}
        inputs = self._checked(inputs)
        return self._scores("serving_request", inputs, self._once, items.index, batch_rows)

    def _checked(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Inputs by feature, lists beside each other cut alike; refuses what no log could hold."""
        inputs = {**inputs, **self._aligned(inputs)}
        self._check_weights(inputs)
        self._check_domain(inputs)
        return inputs

    def _scores(
        self,
        signature: str,
        inputs: dict[str, np.ndarray],
        once: Collection[str],
        index: pd.Index,
        batch_rows: int,
    ) -> pd.DataFrame:
        """Predictions of a signature that takes some inputs once; counts values, each row's."""
        scores = np.zeros((len(index), len(self.tasks)), np.float32)
        counts, unlisted = np.zeros(self._counts.shape, np.int64), np.zeros(2, np.int64)
        for rows in _batches(len(index), batch_rows):
            batch = {
                name: self._tensor(name, values if name in once else values[rows])
                for name, values in inputs.items()
            }
            found = self._model.signatures[signature](**batch)
            scores[rows] = np.stack([found[task].numpy() for task in self.tasks], axis=1)
            number = rows.stop - rows.start
            batch |= {name: tf.repeat(batch[name], number, axis=0) for name in once}
            seen = self._model.signatures["serving_counts"](**batch)
            seen["missing"] = tf.equal(seen["present"], 0)
            counts += np.stack([seen[kind].numpy().sum(axis=0) for kind in _KINDS], axis=1)
            unlisted += [number, int(seen["unlisted_domain"].numpy().sum())]
        self._counts += counts
        self._unlisted += unlisted
        self._warn_of_unknown(counts)
        return pd.DataFrame(scores, index=index, columns=self.tasks)

    def score_examples(self, examples: list[bytes], batch_rows: int = 4096) -> pd.DataFrame:
        """Predicts serialised `tf.Example`s; their values are not counted.

        Raises:
            ScoringError: names the positions of what is no `tf.Example`, or what the model says.
        """
        scores = np.zeros((len(examples), len(self.tasks)), np.float32)
        for rows in _batches(len(examples), batch_rows):
            try:
                found = self._predict(examples[rows])
            except _REFUSALS as error:
                raise ScoringError(self._refusal(examples[rows], rows.start)) from error
            scores[rows] = np.stack([found[task].numpy() for task in self.tasks], axis=1)
        return pd.DataFrame(scores, columns=self.tasks)

    def _predict(self, examples: list[bytes]) -> dict[str, tf.Tensor]:
        return self._model.signatures["serving_default"](tf.constant(examples, tf.string))

    def _refusal(self, examples: list[bytes], start: int) -> str:
        """Which of the examples of a refused batch are none, or what the model says of the first.

        Each is tried alone: TensorFlow does not say which one of a batch it stumbled over.
        """
        broken = [str(start + n) for n, example in enumerate(examples) if not _is_example(example)]
        if broken:
            positions = ", ".join(broken[:10]) + (", ..." if len(broken) > 10 else "")
            return f"{len(broken)} texts are no tf.Example, at positions {positions} (from 0)"
        for position, example in enumerate(examples, start):
            try:
                self._predict([example])
            except _REFUSALS as error:
                said = getattr(error, "message", "with a text that is none")
                # Between the two stands what went wrong; around them, where in TensorFlow.
                said = said.split("<stack traces unavailable>")[-1].split("\n\t [[")[0].strip()
                return f"the model refuses the example at position {position} (from 0): {said}"
        return f"the model refuses the examples from position {start} on, but each one alone passes"

    def counts(self) -> pd.DataFrame:
        """What the data frames held so far.

        Returns:
            A row per feature: values that are ``present`` (items, in sequences), rows whose value
            is ``missing`` (whose sequence is empty), values that are ``unknown`` to the
            vocabulary, numbers that were ``clipped`` to the training range. The row ``(domain)``,
            where the model knows domains, has as ``unknown`` the rows of none of them.
        """
        table = self._counts.copy()
        if self._domain is not None:
            rows, unlisted = self._unlisted
            table.loc["(domain)"] = [rows - unlisted, 0, unlisted, 0]
        return table

    def _check_columns(self, frame: pd.DataFrame, names: Collection[str]) -> None:
        """Refuses a data frame that lacks the column of one of these features."""
        given = list(frame.columns)
        asked = [self.columns[name] for name in names]
        problems = [
            f"no column {column!r}{_nearest(column, given)}"
            for column in asked
            if column not in given
        ]
        problems += [
            f"column {column!r} stands {given.count(column)} times in the data frame"
            for column in asked
            if given.count(column) > 1
        ]
        if problems:
            raise ScoringError(
                f"{'; '.join(problems)}. The model in {self.path} reads "
                f"{', '.join(asked)}{'' if len(asked) == len(self.columns) else ' here'}"
            )
        read = {*self.columns.values(), *self._labels, *self._extra_named}
        extra = [str(column) for column in given if column not in read]
        if extra:
            self._extra_named |= set(given)
            warnings.warn(f"the model does not read {', '.join(extra)}", stacklevel=3)

    def _converted(self, name: str, frame: pd.DataFrame) -> np.ndarray:
        """A column as texts ``(n,)``, float32 ``(n,)``, or lists of texts ``(n,)``."""
        feature, column = self._features[name], self.columns[name]
        if feature["kind"] == "numeric":
            return self._numbers(frame[column])
        if feature["kind"] == "vector":
            return _each(frame[column], lambda value: self._vector(value, feature), object)
        if feature["kind"] == "weights":
            return _each(frame[column], lambda value: self._weights(value, feature), object)
        texts = lambda value: self._unmarked(_text(value))  # noqa: E731
        if feature["kind"] == "categorical" and feature.get("multiple"):
            mark = self._features[self._owners[name]]["mark"] if name in self._owners else None
            several = lambda value: self._several(value, feature, mark)  # noqa: E731
            return _each(frame[column], several, object)
        if feature["kind"] == "categorical":
            return _each(frame[column], texts, object)
        if any(name in names for names in self._behaviours):
            items = lambda value: self._texts(value, feature)  # noqa: E731
        else:
            items = lambda value: self._items(value, feature)  # noqa: E731
        return _each(frame[column], items, object)

    def _numbers(self, column: pd.Series) -> np.ndarray:
        """Float32 ``(n,)``, NaN where there is no number, or none that float32 holds."""
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
            number = column.to_numpy(np.float64)
        else:
            number = _each(column, lambda value: _number(value, self._markers), np.float64)
        with np.errstate(over="ignore"):
            number = number.astype(np.float32)
        missing = ~np.isfinite(number) | np.isin(number, self._marker_numbers)
        return np.where(missing, np.float32(np.nan), number)

    def _several(self, value: Any, feature: dict[str, Any], mark: str | None) -> list[str]:
        """The values of a row; those that are missing are dropped, unless weights stand beside."""
        texts = self._texts(value, feature)
        if mark is not None:
            texts = [self._unmarked(text.rpartition(mark)[0]) for text in texts]
        return texts

    def _weights(self, value: Any, feature: dict[str, Any]) -> list[float]:
        """The weights of a row, NaN where there is none."""
        if feature["mark"] is not None:
            value = [text.rpartition(feature["mark"])[2] for text in self._texts(value, feature)]
        return self._list_numbers(value, feature)

    def _vector(self, value: Any, feature: dict[str, Any]) -> list[float]:
        """The numbers of a row's vector; NaN throughout where there is none."""
        numbers, size = self._list_numbers(value, feature), feature["size"]
        if not numbers or len(numbers) == 1 and np.isnan(numbers[0]):
            return [np.nan] * size
        if len(numbers) != size:
            raise _WrongValue(f"a vector of {len(numbers)} numbers, and it has to have {size}")
        if not np.isfinite(np.float32(numbers)).all():
            raise _WrongValue("a vector with what is no finite number")
        return numbers

    def _list_numbers(self, value: Any, feature: dict[str, Any]) -> list[float]:
        """The numbers of a list, or of a text with separators."""
        if not isinstance(value, (list, tuple, np.ndarray, pd.Series)):
            text = self._unmarked(_text(value) if not isinstance(value, float) else repr(value))
            if isinstance(value, float) and np.isnan(value):
                return []
            value = text.split(feature["separator"]) if text else []
        return [_number(item, {""}) for item in value]

    def _check_weights(self, inputs: dict[str, np.ndarray]) -> None:
        """Refuses weights that are not one for each value, or below 0; drops missing values."""
        for name, named in self._owners.items():
            pairs = zip(inputs[name], inputs[named], strict=True)
            for position, (values, weights) in enumerate(pairs):
                there = [value != "" for value in values]
                if len(values) != len(weights) and (any(there) or any(np.isfinite(weights))):
                    self._refuse_weights(
                        named, position, f"{len(weights)} weights of {len(values)} values"
                    )
                kept = [(v, w) for v, w in zip(values, weights, strict=False) if v]
                if any(not np.isfinite(w) or w < 0 for _, w in kept):
                    self._refuse_weights(named, position, "a weight that is negative or no number")
                inputs[name][position] = [value for value, _ in kept]
                inputs[named][position] = [weight for _, weight in kept]

    def _refuse_weights(self, named: str, position: int, problem: str) -> None:
        raise ScoringError(
            f"column {self.columns[named]!r}, position {position}: {problem}: give every value one "
            "weight that is 0 or above"
        )

    def _items(self, value: Any, feature: dict[str, Any]) -> list[str]:
        """The items of a sequence that are kept; what is missing is dropped."""
        return [item for item in self._texts(value, feature) if item][-feature["max_length"] :]

    def _texts(self, value: Any, feature: dict[str, Any]) -> list[str]:
        """The items of a sequence, empty where one is missing."""
        if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
            items = [_text(item) for item in value]
        else:
            items = self._unmarked(_text(value)).split(feature["separator"])
        return [self._unmarked(item) for item in items]

    def _aligned(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Sequences that are beside each other: the behaviours that are kept, of each all values.

        A behaviour without any value is dropped, as a missing item is elsewhere.
        """
        aligned: dict[str, np.ndarray] = {}
        for names in self._behaviours:
            length = self._features[names[0]]["max_length"]
            aligned |= {name: np.empty(len(inputs[name]), object) for name in names}
            for position, lists in enumerate(zip(*(inputs[name] for name in names), strict=True)):
                if any(map(any, lists)):
                    self._check_lengths(names, lists, position)
                kept = [values for values in zip(*lists, strict=False) if any(values)][-length:]
                for index, name in enumerate(names):
                    aligned[name][position] = [values[index] for values in kept]
        return aligned

    def _check_lengths(self, names: list[str], lists: tuple[list[str], ...], position: int) -> None:
        for name, items in zip(names, lists, strict=True):
            if len(items) != len(lists[0]):
                raise ScoringError(
                    f"column {self.columns[name]!r}, position {position}: {len(items)} values, and "
                    f"column {self.columns[names[0]]!r} has {len(lists[0])}: give one of each per "
                    "behaviour, an empty text where one is missing"
                )

    def _unmarked(self, text: str) -> str:
        """The text, or an empty one where it stands for a missing value."""
        return "" if text.strip(_BLANKS) in self._markers else text

    def _check_domain(self, inputs: dict[str, np.ndarray]) -> None:
        if self._domain is None or self._domain.get("unknown") != "refuse":
            return
        values = inputs[self._domain["feature"]]
        wrong = np.flatnonzero(~np.isin(values, self._domain["values"]))
        if wrong.size:
            raise ScoringError(
                f"column {self.columns[self._domain['feature']]!r}, position {wrong[0]}: "
                f"{values[wrong[0]]!r} is none of the domains {self._domain['values']} "
                f"({wrong.size} such rows)"
            )

    def _tensor(self, name: str, values: np.ndarray) -> tf.Tensor:
        """Values of a batch as the signature takes them; sequences padded to the longest."""
        feature = self._features[name]
        if feature["kind"] == "vector":
            numbers = np.array(list(values), np.float32).reshape(len(values), feature["size"])
            return tf.constant(numbers, tf.float32)
        if feature["kind"] == "weights":
            width = max(1, *map(len, values)) if len(values) else 1
            values = [weights + [0.0] * (width - len(weights)) for weights in values]
            return tf.constant(values, tf.float32, shape=[len(values), width])
        if feature["kind"] == "sequence" or feature.get("multiple"):
            width = max(1, *map(len, values)) if len(values) else 1
            values = [items + [""] * (width - len(items)) for items in values]
            return tf.constant(values, tf.string, shape=[len(values), width])
        return tf.constant(values)

    def _warn_of_unknown(self, counts: np.ndarray) -> None:
        for name, (present, _, unknown, _) in zip(self._features, counts, strict=True):
            if unknown > _UNKNOWN_SHARE * present:
                warnings.warn(
                    f"{unknown} of {present} values of {self.columns[name]!r} are unknown to the "
                    "model: are they written as in the log that it was trained on?",
                    stacklevel=4,
                )


def _column(label: str | dict[str, Any]) -> str:
    """The column that a label is told by."""
    return label if isinstance(label, str) else label["column"]


def _goes_with(feature: dict[str, Any]) -> str | None:
    """The feature whose values a feature's stand beside, one for one."""
    other: str | None = feature.get("of" if feature["kind"] == "weights" else "beside")
    return other


class _WrongValue(ValueError):
    """What is wrong with a value; where it stands is added later."""


def _plain(value: Any) -> Any:
    """A value as Python has it: NumPy 2 would say ``np.float64(1.5)`` of 1.5."""
    return value.item() if isinstance(value, np.generic) else value


def _each(column: pd.Series, convert: Callable[[Any], Any], dtype: Any) -> np.ndarray:
    """Converts every value of a column, or every category of a categorical one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories.to_series(name=column.name)
        codes = column.cat.codes.to_numpy()
        found = np.append(_each(categories, convert, object), [None])
        found[-1] = convert(None)
        return found[codes].astype(dtype)
    values = column.to_numpy()
    converted = np.empty(len(values), dtype)
    for position, value in enumerate(values):
        try:
            converted[position] = convert(value)
        except _WrongValue as error:
            raise ScoringError(
                f"column {column.name!r}, position {position}: {error}. Received: {_plain(value)!r}"
            ) from None
    return converted


def _text(value: Any) -> str:
    """A value's text as the logs' reader writes it; empty where there is none."""
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, _SEVERAL):
        raise _WrongValue("several values where one is expected")
    if pd.isna(value):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return _whole(value)
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, (datetime.datetime, np.datetime64)):
        return _time(pd.Timestamp(value))
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise _WrongValue(f"a {type(value).__name__} is no category; make a text of it")


def _whole(value: float | np.floating) -> str:
    """A whole floating-point number as an integer."""
    if not float(value).is_integer():
        raise _WrongValue(
            "a category should be a text or a whole number, and this is neither; was the feature "
            "numeric in the log?"
        )
    limit = _EXACT.get(getattr(value, "itemsize", 8), 2**53)
    if abs(value) > limit:
        raise _WrongValue(
            f"floating-point numbers of this type are exact up to {limit} only; write the column "
            "as integers or as text"
        )
    return str(int(value))


def _time(time: pd.Timestamp) -> str:
    """``2026-01-31 12:30:00.5``; a time with a zone as that of UTC, with ``Z``."""
    zone = "" if time.tz is None else "Z"
    if time.tz is not None:
        time = time.tz_convert("UTC").tz_localize(None)
    text = time.isoformat(sep=" ")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + zone


def _number(value: Any, markers: set[str]) -> float:
    """A value as a number; NaN where there is none."""
    if isinstance(value, bytes):
        value = _decoded(value)
    if isinstance(value, str):
        bare = value.strip(_BLANKS)
        if bare in markers:
            return np.nan
        if not _NUMBER.fullmatch(bare):
            raise _WrongValue("not a number")
        return float(bare)
    if isinstance(value, _SEVERAL):
        raise _WrongValue("several values where one number is expected")
    if pd.isna(value):
        return np.nan
    if not isinstance(value, (int, float, np.integer, np.floating, np.bool_, decimal.Decimal)):
        raise _WrongValue(f"a {type(value).__name__} is no number")
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _encodable(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _WrongValue("no text: it holds half a character") from None
    return text


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _WrongValue("bytes that are not UTF-8") from None


def _is_example(text: bytes) -> bool:
    # Not by TensorFlow's parser, which passes over what it isn't asked for.
    try:
        tf.train.Example.FromString(text)
    except DecodeError:
        return False
    return True


def _batches(rows: int, size: int) -> Iterator[slice]:
    if size < 1:
        raise ScoringError(f"batch_rows should be at least 1. Received: {size}")
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _nearest(name: str, given: list[Any]) -> str:
    near = difflib.get_close_matches(name, [str(other) for other in given], n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _saved_model(folder: str) -> str:
    """The folder itself, or that of the largest version in it."""

    def holds_model(path: str) -> bool:
        return tf.io.gfile.exists(os.path.join(path, "saved_model.pb"))

    if holds_model(folder):
        return folder
    names = tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else []
    versions = [name.strip("/") for name in names if name.strip("/").isdigit()]
    for version in sorted(versions, key=int, reverse=True):
        if holds_model(os.path.join(folder, version)):
            return os.path.join(folder, version)
    raise ScoringError(f"{folder} holds no SavedModel, nor a version of one")


def _read_contract(folder: str) -> dict[str, Any]:
    path = os.path.join(folder, CONTRACT_FILE)
    if not tf.io.gfile.exists(path):
        raise ScoringError(
            f"{path} is missing: the model was exported by an older release. Train it again, or "
            "call its signatures with tensors"
        )
    with tf.io.gfile.GFile(path) as file:
        stored = json.load(file)
    if stored["format"] > CONTRACT_FORMAT:
        raise ScoringError(
            f"{path} is of format {stored['format']}: take the scorer of its release"
        )
    return stored["data_contract"]
