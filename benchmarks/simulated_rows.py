"""Simulated logs in memory, with what their simulator knew: true probabilities and history terms.

Used by `benchmarks.sequence_terms`. Columns become what a model reads as in `benchmarks.presets`,
though without a pipeline: vocabularies and quantiles are of all days.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.pipeline.simulation.log_columns import SEPARATOR, SEQUENCES
from mtlx.pipeline.simulation.preferences import EMPHASIS, WEIGHTS
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS
from mtlx.transform.contract.model_inputs import (
    DOMAIN_ID,
    FIRST_VALUE_ID,
    OUT_OF_VOCABULARY_ID,
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    SequencePart,
    TaskSpec,
)

#: The terms of the log odds that hang on what a user did before.
TERMS = ("clicked_category", "carted_category", "purchased_category", "purchased_brand")
#: Names of the behaviour sequences.
BEHAVIOURS = ("clicked", "carted", "purchased")

_NAMES = ("gender", "city", "segment", "item_id", "category", "brand", "scenario", "hour", "device")
_BUCKETS = {"age": 10, "price": 20, "popularity": 20}
_NUMBERS = ("activity", "rating", "discount", "position")
_LOGARITHMS = ("activity", "position")
_LEAST_ROWS_OF_AN_ITEM = 5

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class SimulatedRows:
    """Rows of simulated logs, n of them.

    Attributes:
        inputs: what a model of these columns is built from.
        columns: features and labels by name, ``(n,)`` or ``(n, L)``.
        raw: the log as it was read, without sequences; "category", "brand" and "domain" also as
            numbers, "category_id" and so on.
        truth: conditional probabilities of the tasks, ``(n, T)``.
        terms: the values of `TERMS`, ``(n, 4)``.
        factor: what the terms' weights are multiplied by.
        matches: behaviours in the target's category, by sequence, ``(n, 3)``.
        lengths: of the sequences, ``(n, 3)``.
    """

    inputs: ModelInputs
    columns: Columns
    raw: pd.DataFrame
    truth: np.ndarray
    terms: np.ndarray
    matches: np.ndarray
    lengths: np.ndarray
    factor: float = 1.0

    @property
    def log_odds(self) -> np.ndarray:
        """Of the tasks' conditional probabilities, ``(n, T)``."""
        return np.log(self.truth / (1.0 - self.truth))

    @property
    def of_terms(self) -> np.ndarray:
        """What each of `TERMS` adds to the tasks' log odds, ``(n, 4, T)``."""
        domains = self.columns[DOMAIN_ID]
        emphasis = np.array([
            [EMPHASIS[domain].get(term, 1.0) for term in TERMS] for domain in DOMAINS
        ])  # fmt: skip
        weights = self.factor * np.array([WEIGHTS[term] for term in TERMS])  # (4, T)
        return (emphasis[domains] * self.terms)[:, :, None] * weights

    @property
    def reached(self) -> np.ndarray:
        """How likely a row is in the tasks' populations, ``(n, T)``: 1, of a click, of a cart."""
        reached = np.cumprod(self.truth, axis=1)
        return np.concatenate([np.ones((len(reached), 1)), reached[:, :-1]], axis=1)

    def with_terms(self, factor: float) -> "SimulatedRows":
        """With truths in which the terms weigh so many times what they did; labels stay."""
        log_odds = self.log_odds + (factor - 1.0) * self.of_terms.sum(axis=1)
        truth = 1.0 / (1.0 + np.exp(-log_odds))
        return replace(self, truth=truth, factor=self.factor * factor)

    def with_numbers(self, **numbers: np.ndarray) -> "SimulatedRows":
        """With further numeric features ``(n,)``, which are standardised."""
        fields = (*self.inputs.numeric, *(NumericInput(name) for name in numbers))
        columns = {name: _standardised(values) for name, values in numbers.items()}
        return replace(
            self,
            inputs=replace(self.inputs, numeric=fields),
            columns={**self.columns, **columns},
        )

    def with_tasks(self, tasks: Sequence[TaskSpec], **labels: np.ndarray) -> "SimulatedRows":
        """With other tasks, and labels ``(n,)`` of 0 and 1 for them."""
        own = {name: values.astype(np.int64) for name, values in labels.items()}
        return replace(
            self,
            inputs=replace(self.inputs, tasks=tuple(tasks)),
            columns={**self.columns, **own},
        )

    def chosen(self, rows: np.ndarray) -> Columns:
        """The columns of some rows, of the features and labels of `inputs` alone."""
        labels = [task.label for task in self.inputs.tasks]
        return {name: self.columns[name][rows] for name in (*self.inputs.keys, *labels, DOMAIN_ID)}


def read_simulated(folder: Path) -> SimulatedRows:
    """Reads what `mtlx.pipeline.simulation.simulator.simulate` wrote."""
    length = json.loads((folder / "simulation.json").read_text())["settings"]["history_length"]
    raw = pd.concat(
        [pd.read_csv(path) for path in sorted(folder.glob("logs/day=*/*.csv"))], ignore_index=True
    )
    files = sorted(folder.glob("ground_truth/*.parquet"))
    truth = pd.concat([pd.read_parquet(path) for path in files]).set_index("impression_id")
    given = [TASKS[0], f"{TASKS[1]}_given_{TASKS[0]}", f"{TASKS[2]}_given_{TASKS[1]}"]
    behaviours = _Behaviours(raw, length)
    columns, fields = _fields(raw)
    columns |= behaviours.columns | {task: raw[task].to_numpy(np.int64) for task in TASKS}
    columns[DOMAIN_ID] = raw["scenario"].map(DOMAINS.index).to_numpy(np.int64)
    sequences = [
        SequenceInput(name, "item_id", length, (SequencePart(f"{name}_categories", "category"),))
        for name in BEHAVIOURS
    ]
    before = (None, *TASKS[:-1])
    inputs = ModelInputs(
        tuple(fields),
        tuple(NumericInput(name) for name in _NUMBERS),
        tuple(sequences),
        "item_id",
        tuple(DOMAINS),
        tuple(TaskSpec(task, task, last, last) for task, last in zip(TASKS, before, strict=True)),
    )
    return SimulatedRows(
        inputs,
        columns,
        raw.drop(columns=[name for pair in SEQUENCES.values() for name in pair]),
        truth.loc[raw["impression_id"], given].to_numpy(),
        behaviours.terms(),
        behaviours.matches,
        behaviours.lengths,
    )


def _fields(raw: pd.DataFrame) -> tuple[Columns, list[CategoricalInput]]:
    """Ids and numbers of all features but the sequences."""
    columns: Columns = {}
    fields = []
    for name in _NAMES:
        values = _vocabulary(raw, name)
        columns[name] = values.get_indexer(raw[name])
        columns[name] = np.where(
            columns[name] < 0, OUT_OF_VOCABULARY_ID, columns[name] + FIRST_VALUE_ID
        )
        fields.append(CategoricalInput(name, len(values) + FIRST_VALUE_ID))
    for name, buckets in _BUCKETS.items():
        codes = pd.qcut(raw[name], buckets, labels=False, duplicates="drop")
        # An age may be missing, which is an id of its own.
        columns[name] = codes.fillna(-2).to_numpy(np.int64) + FIRST_VALUE_ID
        fields.append(CategoricalInput(name, buckets + FIRST_VALUE_ID))
    for name in _NUMBERS:
        numbers = raw[name].to_numpy(np.float64)
        columns[name] = _standardised(np.log1p(numbers) if name in _LOGARITHMS else numbers)
    return columns, fields


def _vocabulary(raw: pd.DataFrame, name: str) -> pd.Index:
    counts = raw[name].value_counts().sort_index()
    return counts.index[counts >= (_LEAST_ROWS_OF_AN_ITEM if name == "item_id" else 1)]


def _standardised(numbers: np.ndarray) -> np.ndarray:
    return ((numbers - numbers.mean()) / numbers.std()).astype(np.float32)


class _Behaviours:
    """The behaviour sequences of a log: as a model's columns, and beside the target item."""

    def __init__(self, raw: pd.DataFrame, length: int):
        self._raw = raw
        self.columns: Columns = {}
        items, categories = _vocabulary(raw, "item_id"), _vocabulary(raw, "category")
        category = categories.get_indexer(raw["category"]) + FIRST_VALUE_ID
        of_category = []
        for name, (of_items, of_categories) in zip(BEHAVIOURS, SEQUENCES.values(), strict=True):
            self.columns[name] = _padded(raw[of_items], items, length)
            of_sequence = _padded(raw[of_categories], categories, length)
            self.columns[f"{name}_categories"] = of_sequence
            of_category.append((of_sequence == category[:, None]).sum(axis=1))
        self.matches = np.stack(of_category, axis=1)
        self.lengths = np.stack([(self.columns[name] > 0).sum(axis=1) for name in BEHAVIOURS], 1)

    def terms(self) -> np.ndarray:
        """The values of `TERMS`, ``(n, 4)``, as the simulator defines them."""
        clicked, carted, purchased = self.matches.T
        share = clicked / np.maximum(self.lengths[:, 0], 1)
        values = (
            np.minimum(4.0 * share, 3.0),
            np.minimum(carted, 3),
            np.minimum(purchased, 2),
            self._bought_brand(),
        )
        return np.stack(values, axis=1).astype(np.float64)

    def _bought_brand(self) -> np.ndarray:
        """Whether an item of the target's brand was bought, ``(n,)``."""
        raw = self._raw
        brand_of = raw.drop_duplicates("item_id").set_index("item_id")["brand"]
        bought = raw[SEQUENCES["purchase"][0]].fillna("").str.split(SEPARATOR).explode()
        same = bought.map(brand_of) == raw["brand"].loc[bought.index]
        return same.groupby(level=0).any().to_numpy(np.float64)


def _padded(texts: pd.Series, values: pd.Index, length: int) -> np.ndarray:
    """Lists as ids ``(n, length)``, oldest first, padded with 0 on the right."""
    lists = pc.split_pattern(pa.array(texts, pa.string(), from_pandas=True), SEPARATOR)
    counts = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    flat = values.get_indexer(lists.flatten().to_pandas())
    ids = np.zeros((len(texts), length), np.int64)
    ids[np.arange(length) < counts[:, None]] = np.where(
        flat < 0, OUT_OF_VOCABULARY_ID, flat + FIRST_VALUE_ID
    )
    return ids
