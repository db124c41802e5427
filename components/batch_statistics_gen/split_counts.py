"""What TFDV's statistics do not hold of a split: counts of values, label rates by domain."""

import dataclasses
import io
import json
import os
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from mtlx.components.batch_statistics_gen.value_counts import NumberCounts, TextCounts
from mtlx.transform.columns.vector_totals import VectorTotals

#: File beside TFDV's own in each split's folder.
_FILE = "ValueCounts.parquet"
_FACTS = b"mtlx"


@dataclasses.dataclass(frozen=True)
class SplitCounts:
    """Counts of one split, or of several together.

    Attributes:
        rows: examples that were looked at.
        present: of these, by feature, with a value.
        texts: counts of the values of categorical features and sequences.
        numbers: counts of the values of numeric features.
        labels: by task and value of the domain's column (the empty text for rows without one,
            and for all rows where there are no domains) the rows of the task's population that
            have a label, and how many of these labels are 1. Rows count once, whatever their
            weights; a task whose labels are numbers is not there.
        vectors: moments of features with vectors.
    """

    rows: int = 0
    present: dict[str, int] = dataclasses.field(default_factory=dict)
    texts: dict[str, TextCounts] = dataclasses.field(default_factory=dict)
    numbers: dict[str, NumberCounts] = dataclasses.field(default_factory=dict)
    labels: dict[str, dict[str, tuple[int, int]]] = dataclasses.field(default_factory=dict)
    vectors: dict[str, VectorTotals] = dataclasses.field(default_factory=dict)

    @classmethod
    def merged(cls, parts: list["SplitCounts"]) -> "SplitCounts":
        """Adds counts up."""
        if len(parts) == 1:
            return parts[0]
        present: dict[str, int] = {}
        labels: dict[str, dict[str, tuple[int, int]]] = {}
        for part in parts:
            for name, number in part.present.items():
                present[name] = present.get(name, 0) + number
            for task, domains in part.labels.items():
                found = labels.setdefault(task, {})
                for domain, (rows, positives) in domains.items():
                    before = found.get(domain, (0, 0))
                    found[domain] = (before[0] + rows, before[1] + positives)
        texts = {name for part in parts for name in part.texts}
        numbers = {name for part in parts for name in part.numbers}
        return cls(
            sum(part.rows for part in parts),
            present,
            {
                name: TextCounts.merged(part.texts[name] for part in parts if name in part.texts)
                for name in sorted(texts)
            },
            {
                name: NumberCounts.merged(p.numbers[name] for p in parts if name in p.numbers)
                for name in sorted(numbers)
            },
            labels,
            _added_up(part.vectors for part in parts),
        )

    def save(self, folder: str) -> None:
        """Writes one file into a split's folder."""
        tables = [
            _table(name, found.values, np.zeros(len(found.counts), np.int64), found.counts)
            for name, found in self.texts.items()
        ]
        tables += [
            _table(name, pa.nulls(len(found.codes), pa.large_binary()), found.codes, found.counts)
            for name, found in self.numbers.items()
        ]
        facts = {
            "rows": self.rows,
            "present": self.present,
            "texts": {name: found.level for name, found in self.texts.items()},
            "numbers": {name: found.level for name, found in self.numbers.items()},
            "labels": self.labels,
        }
        if self.vectors:
            facts["vectors"] = {name: found.to_json() for name, found in self.vectors.items()}
        table = pa.concat_tables([_EMPTY, *tables])
        table = table.replace_schema_metadata({_FACTS: json.dumps(facts).encode()})
        stream = io.BytesIO()
        pq.write_table(table, stream, compression="zstd")
        with tf.io.gfile.GFile(os.path.join(folder, _FILE), "wb") as file:
            file.write(stream.getvalue())

    @classmethod
    def load(cls, folder: str) -> "SplitCounts | None":
        """Reads the file of a split's folder; None where there is none."""
        path = os.path.join(folder, _FILE)
        if not tf.io.gfile.exists(path):
            return None
        with tf.io.gfile.GFile(path, "rb") as file:
            table = pq.read_table(io.BytesIO(file.read()))
        facts = json.loads(table.schema.metadata[_FACTS])
        names = np.array(table["feature"].to_pylist(), object)
        texts, numbers = {}, {}
        for kind in ("texts", "numbers"):
            for name, level in facts[kind].items():
                own = table.filter(pa.array(names == name)).combine_chunks()
                counts = own["count"].to_numpy()
                if kind == "numbers":
                    numbers[name] = NumberCounts(own["code"].to_numpy(), counts, level)
                else:
                    texts[name] = TextCounts(_one(own["text"]), counts, level)
        labels = {
            task: {domain: (rows, positives) for domain, (rows, positives) in domains.items()}
            for task, domains in facts["labels"].items()
        }
        vectors = {
            name: VectorTotals.of_json(found) for name, found in facts.get("vectors", {}).items()
        }
        return cls(facts["rows"], facts["present"], texts, numbers, labels, vectors)


_EMPTY = pa.table(
    {
        "feature": pa.array([], pa.large_string()),
        "text": pa.array([], pa.large_binary()),
        "code": pa.array([], pa.int64()),
        "count": pa.array([], pa.int64()),
    }
)


def _added_up(parts: Iterable[dict[str, VectorTotals]]) -> dict[str, VectorTotals]:
    """Moments of all parts together, by feature."""
    added: dict[str, VectorTotals] = {}
    for part in parts:
        for name, found in part.items():
            added.setdefault(name, VectorTotals.nothing(len(found.mean))).merge(found)
    return dict(sorted(added.items()))


def _table(name: str, texts: pa.Array, codes: np.ndarray, counts: np.ndarray) -> pa.Table:
    columns = [pa.array([name] * len(counts), pa.large_string()), texts, codes, counts]
    return pa.table(columns, schema=_EMPTY.schema)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
