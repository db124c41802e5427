"""What is measured of days that are alike, and of days that are not, here and by TFDV.

    python -m benchmarks.drift_measures

Pairs of days of 2,000 rows: of one distribution (a price, a number that is 0 in nine of ten rows,
items), with one outlier of a million among the prices, and with prices moved by half of their
standard deviation. Then the seconds that counting values adds to the statistics.
"""

import argparse
import time

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from rich.console import Console
from rich.table import Table
from tensorflow_metadata.proto.v0 import statistics_pb2

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.drift_guard.compare import compare
from mtlx.components.drift_guard.described_rows import DescribedRows, add_values
from mtlx.components.drift_guard.drift_result import Movement
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.transform.contract.data_contract import DataContract

_CONTRACT = DataContract.read(
    {
        "features": {
            "price": {"kind": "numeric"},
            "visits": {"kind": "numeric"},
            "item": {"kind": "categorical"},
        },
        "tasks": {"click": {"label": "clicked"}},
    }
)
_DAYS = {"alike": {}, "one outlier": {"outlier": 1e6}, "moved by half": {"moved": 0.5}}


def _day(
    random: np.random.Generator, rows: int, moved: float = 0.0, outlier: float | None = None
) -> pa.RecordBatch:
    price = np.exp(random.normal(moved, 1.0, rows))
    if outlier is not None:
        price[0] = outlier
    visits = np.where(random.random(rows) < 0.9, 0.0, random.normal(size=rows))
    item = random.zipf(1.3, rows) % 3000
    clicked = (random.random(rows) < 0.2).astype(int)
    columns = [
        _lists(price, pa.float32()),
        _lists(visits, pa.float32()),
        _lists([b"i%d" % value for value in item], pa.large_binary()),
        _lists(clicked, pa.int64()),
    ]
    return pa.RecordBatch.from_arrays(columns, ["price", "visits", "item", "clicked"])


def _lists(values: object, kind: pa.DataType) -> pa.Array:
    flat = pa.array(values, kind)
    return pa.LargeListArray.from_arrays(pa.array(np.arange(len(flat) + 1)), flat)


def _statistics(day: pa.RecordBatch) -> statistics_pb2.DatasetFeatureStatisticsList:
    combine = DescribeColumns()
    combine.setup()
    return combine.extract_output(combine.add_input(combine.create_accumulator(), day))


def _counts(day: pa.RecordBatch) -> SplitCounts:
    combine = CountColumns(_CONTRACT)
    return combine.extract_output(combine.add_input(combine.create_accumulator(), day))


def _ours(new: pa.RecordBatch, before: pa.RecordBatch) -> dict[tuple[str, str], Movement]:
    sides = []
    for day in (new, before):
        values = {}
        add_values(values, _statistics(day).datasets[0])
        counts = _counts(day)
        sides.append(DescribedRows(counts, values, (counts,)))
    found = compare(("new", sides[0]), ("before", sides[1]), _CONTRACT, DriftSettings())
    return {(m.of, m.measure): m for feature in found.features for m in feature.movements}


def _tfdv(new: pa.RecordBatch, before: pa.RecordBatch) -> dict[tuple[str, str], float]:
    statistics = _statistics(before)
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False)
    for feature in schema.feature:
        feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
        if feature.name == "item":
            feature.drift_comparator.infinity_norm.threshold = 1.0
    found = tfdv.validate_statistics(_statistics(new), schema, previous_statistics=statistics)
    names = {1: "l_infinity", 2: "jensen_shannon"}
    return {
        (info.path.step[0], names[measured.type]): measured.value
        for info in found.drift_skew_info
        for measured in info.drift_measurements
    }


def _show_measures(console: Console, rows: int) -> None:
    random = np.random.default_rng(1)
    table = Table("days", "measure", "here", "by chance up to", "TFDV")
    for name, changes in _DAYS.items():
        new, before = _day(random, rows, **changes), _day(random, rows)
        ours, theirs = _ours(new, before), _tfdv(new, before)
        for key in [
            ("price", "jensen_shannon"),
            ("visits", "jensen_shannon"),
            ("item", "l_infinity"),
        ]:
            one = ours[key]
            values = f"{one.value:.4f}", f"{one.noise:.4f}", f"{theirs[key]:.4f}"
            table.add_row(name, " ".join(key), *values)
    console.print(table)


def _show_seconds(console: Console) -> None:
    random = np.random.default_rng(1)
    days = [_day(random, 16_384) for _ in range(8)]
    ratios = []
    for _ in range(5):
        seconds = []
        for work in (_statistics, _counts):
            started = time.process_time()
            for day in days:
                work(day)
            seconds.append(time.process_time() - started)
        ratios.append(seconds[1] / seconds[0])
    spread = f"{min(ratios):.1%} to {max(ratios):.1%}"
    console.print(f"counts: {np.median(ratios):.1%} of TFDV's seconds ({spread})")


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000, help="of a day (default: %(default)s)")
    rows = parser.parse_args().rows
    _show_measures(Console(), rows)
    _show_seconds(Console())


if __name__ == "__main__":
    main()
