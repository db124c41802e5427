"""Days of rows with a known distribution, described as BatchStatisticsGen describes them."""

from collections import Counter

import numpy as np
import pyarrow as pa

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.drift_guard.described_rows import DescribedRows, ValueShares, add_values
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "brand": {"kind": "categorical"},
            "scenario": {"kind": "categorical"},
            "user": {"kind": "categorical", "embed": False},
            "price": {"kind": "numeric"},
            "visits": {"kind": "numeric"},
            "year": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "item", "max_length": 4},
        },
        "domain": {"feature": "scenario", "values": ["feed", "search"]},
        "tasks": {
            "click": {"label": "clicked"},
            "buy": {"label": "bought", "population": "click"},
        },
    }
)


def columns(random, rows, **changes):
    """One day's columns: lists of values per row. `changes` replace parameters of a day."""
    day = {
        "price": 0.0, "price_missing": 0.1, "visits_zero": 0.9, "brand": None, "items": 300,
        "first_item": 0, "click_in_search": 0.3, "outlier": None, "year": 0,
    } | changes  # fmt: skip
    price = np.exp(random.normal(day["price"], 1.0, rows))
    if day["outlier"] is not None:
        price[0] = day["outlier"]
    visits = np.where(random.random(rows) < day["visits_zero"], 0.0, random.normal(size=rows))
    missing = random.random(rows) < day["price_missing"]
    brand = random.choice(5, rows, p=day["brand"])
    # Few items are in most rows, and some in one only.
    item = (random.pareto(1.1, rows) * 3).astype(int) % day["items"] + day["first_item"]
    search = random.random(rows) < 0.5
    clicked = random.random(rows) < np.where(search, day["click_in_search"], 0.2)
    bought = clicked & (random.random(rows) < 0.3)
    return {
        "item": [[f"i{value}"] for value in item],
        "brand": [[f"b{value}"] for value in brand],
        "scenario": [["search" if value else "feed"] for value in search],
        "user": [[f"u{value}"] for value in random.integers(10**9, size=rows)],
        "price": [None if gone else [value] for gone, value in zip(missing, price, strict=True)],
        "visits": [[value] for value in visits],
        "year": [[value] for value in random.integers(1990, 2020, rows) + day["year"]],
        "clicks": [[f"i{value}", f"i{(value + 1) % 300}"] for value in item],
        "clicked": [[int(value)] for value in clicked],
        "bought": [[int(value)] for value in bought],
    }


def batch(values):
    """Columns as `read_batches` gives them."""
    kinds = dict.fromkeys(values, pa.large_binary()) | {
        "price": pa.float32(), "visits": pa.float32(), "year": pa.float32(),
        "clicked": pa.int64(), "bought": pa.int64(),
    }  # fmt: skip
    arrays = [pa.array(column, pa.large_list(kinds[name])) for name, column in values.items()]
    return pa.RecordBatch.from_arrays(arrays, list(values))


def combined(combine, batches):
    """What a combine makes of batches, each of which goes to an accumulator of its own."""
    combine.setup()
    parts = [combine.add_input(combine.create_accumulator(), one) for one in batches]
    return combine.extract_output(combine.merge_accumulators(parts))


def statistics(values):
    """TFDV's of one day."""
    return combined(DescribeColumns(), [batch(values)])


def described(day):
    """One day."""
    values = {}
    add_values(values, statistics(day).datasets[0])
    counts = combined(CountColumns(CONTRACT), [batch(day)])
    return DescribedRows(counts, values, (counts,))


def together(days):
    """Several described days."""
    values = {}
    for day in days:
        for name, found in day.values.items():
            known = values.get(name, ValueShares(Counter(), 0.0))
            values[name] = ValueShares(known.most + found.most, known.total + found.total)
    counts = [day.counts for day in days]
    return DescribedRows(SplitCounts.merged(counts), values, tuple(counts))
