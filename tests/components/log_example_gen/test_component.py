"""LogExampleGen as a real TFX node: Beam, ML-Metadata, files."""

import dataclasses
import datetime
import gzip
import json
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.transform.contract.data_contract import DataContract
from tests import tfx_parts as tfx

CONTRACT = DataContract.read(
    {
        "features": {
            "user": {"kind": "categorical"},
            "scene": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "user"},
        },
        "domain": {"feature": "scene", "values": ["feed", "search"]},
        "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "after": "click"}},
    }
)
ROW_SPLIT = {"by": "row", "train": 0.5, "validation": 0.25, "test": 0.25}
HEADER = "user,scene,price,clicks,click,buy"


def _line(index, price="1.5", scene="feed", click=1, buy=0):
    return f"u{index % 7},{scene},{price},a|b,{click},{buy}"


@pytest.fixture(autouse=True)
def _no_arguments_of_pytest(monkeypatch):
    """TFX's Beam executor gives sys.argv to absl, which stumbles over pytest's -v."""
    monkeypatch.setattr("sys.argv", ["pytest"])


def _write(folder, *files):
    folder.mkdir(exist_ok=True)
    for number, lines in enumerate(files):
        text = "\n".join([HEADER, *lines]) + "\n"
        (folder / f"part-{number}.csv").write_text(text, encoding="utf-8")


def _run(tmp_path, node):
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="p",
        pipeline_root=str(tmp_path / "root"),
        components=[node],
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(tmp_path / "metadata.sqlite")
        ),
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    return sorted((tmp_path / "root" / node.id / "examples").iterdir(), key=lambda p: int(p.name))


def _ours(tmp_path, **settings):
    data = {"path": str(tmp_path / "logs" / "*.csv"), "split": ROW_SPLIT, **settings}
    node = LogExampleGen(DataSettings.read(data), CONTRACT, str(tmp_path / "quarantine"))
    return _run(tmp_path, node)


def _decoded(folder, split="*"):
    files = [str(path) for path in sorted(folder.glob(f"Split-{split}/*"))]
    examples = []
    for record in tf.data.TFRecordDataset(files, "GZIP"):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        examples.append(
            {
                name: list(getattr(value, value.WhichOneof("kind")).value)
                if value.WhichOneof("kind")
                else []
                for name, value in features.items()
            }
        )
    return examples


def test_examples_have_the_contracts_types_and_splits(tmp_path):
    _write(tmp_path / "logs", [_line(i) for i in range(5)], [_line(i) for i in range(5, 8)])
    (folder,) = _ours(tmp_path)
    assert len(_decoded(folder, "train")) == 4
    assert len(_decoded(folder, "validation")) == len(_decoded(folder, "test")) == 2
    assert _decoded(folder, "test")[-1] == {
        "user": [b"u0"],
        "scene": [b"feed"],
        "price": [1.5],
        "clicks": [b"a", b"b"],
        "click": [1],
        "buy": [0],
    }
    summary = json.loads((folder / "ingestion" / "summary.json").read_text(encoding="utf-8"))
    assert summary["rows"] == {"train": 4, "validation": 2, "test": 2}
    assert summary["malformed"] == {} and summary["quarantine"] is None
    assert summary["lines"] == {"read": 10, "header": 2} and summary["refused"] is None


def _provenance(folder):
    summary = json.loads((folder / "ingestion" / "summary.json").read_text(encoding="utf-8"))
    return summary["provenance"]


def test_the_summary_tells_which_rows_went_where(tmp_path):
    _write(tmp_path / "logs", [_line(i) for i in range(5)], [_line(i) for i in range(5, 8)])
    (folder,) = _ours(tmp_path)
    told = _provenance(folder)
    assert (told["span"], told["times"], told["split"]["by"]) == (None, {}, "row")
    files = [Path(entry["file"]) for entry in told["sources"]]
    assert [file.name for file in files] == ["part-0.csv", "part-1.csv"]
    assert [entry["size"] for entry in told["sources"]] == [file.stat().st_size for file in files]
    assert [entry["rows"] for entry in told["sources"]] == [
        {"train": 4, "validation": 1, "test": 0},
        {"train": 0, "validation": 1, "test": 2},
    ]


@pytest.mark.parametrize(
    ("column", "values", "boundaries", "expected"),
    [
        (
            "price", ("200", "8", "10", "30", "9", "5"), (9, 20),
            {"train": [5, 8], "validation": [9, 10], "test": [30, 200]},
        ),
        # The second is the earlier instant of the two, though the later text.
        (
            "user",
            ("2024-01-02T00:10:00Z", "2024-01-02T00:10:00+05:00", "2024-01-03"),
            ("2024-01-02", "2024-01-03"),
            {
                "train": ["2024-01-01T19:10:00Z"] * 2,
                "validation": ["2024-01-02T00:10:00Z"] * 2,
                "test": ["2024-01-03T00:00:00Z"] * 2,
            },
        ),
    ],
)  # fmt: skip
def test_the_summary_tells_the_time_of_each_split(tmp_path, column, values, boundaries, expected):
    """Numbers as they are, instants with their zone."""
    place = HEADER.split(",").index(column)
    lines = [_line(0).split(",") for _ in values]
    for line, value in zip(lines, values, strict=True):
        line[place] = value
    lines = [",".join(line) for line in lines]
    _write(tmp_path / "logs", lines[::2], lines[1::2])
    split = {"by": "time", "column": column}
    split |= dict(zip(("validation_from", "test_from"), boundaries, strict=True))
    (folder,) = _ours(tmp_path, split=split)
    assert _provenance(folder)["times"] == expected


@pytest.mark.parametrize(
    ("pattern", "folder", "words"),
    [("{YYYY}-{MM}-{DD}", "2024-03-01", "the span of 2024-03-01, 1 file"),
     ("{SPAN}", "7", "span 7, 1 file"), ("7", "7", "1 file")],
)  # fmt: skip
def test_the_gate_reads_the_span(tmp_path, pattern, folder, words):
    (tmp_path / "logs").mkdir()
    _write(tmp_path / "logs" / folder, [_line(i) for i in range(8)])
    (uri,) = _ours(tmp_path, path=str(tmp_path / "logs" / pattern / "*.csv"))
    examples = standard_artifacts.Examples()
    examples.uri = str(uri)
    seen = SeenExamples.load(examples)
    assert seen.words == words
    assert sum(seen.rows.values()) == 8 and seen.split["by"] == "row"


def test_second_run_is_cached_and_changed_input_is_not(tmp_path):
    _write(tmp_path / "logs", [_line(i) for i in range(8)])
    assert len(_ours(tmp_path)) == 1
    assert len(_ours(tmp_path)) == 1
    _write(tmp_path / "logs", [_line(i) for i in range(8)], [_line(i) for i in range(4)])
    assert len(_ours(tmp_path)) == 2
    # A shard of the same size and the same time.
    file = tmp_path / "logs" / "part-1.csv"
    times = file.stat()
    file.write_text(file.read_text(encoding="utf-8").replace("u3", "u4"), encoding="utf-8")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_size == times.st_size
    assert len(_ours(tmp_path)) == 3


def test_a_path_is_taken_as_it_is_written(tmp_path):
    """By driver, executor and split, in a folder with marks of a pattern."""
    folder = tmp_path / "logs [1] ü"
    _write(folder, list(map(_line, range(8))), list(map(_line, range(3))))
    (folder / "part-0.csv").rename(folder / "part [1].csv")
    split = {"by": "file", "train": "part [1].csv", "test": "part-[1].csv", "validation_share": 0.3}
    split |= {"train": [split["train"]], "test": [split["test"]]}
    paths = [str(folder / "part [1].csv"), str(folder / "part-[1].csv")]
    (examples,) = _ours(tmp_path, path=paths, split=split)
    assert len(_decoded(examples, "test")) == 3 and len(_decoded(examples)) == 11


def test_every_line_of_a_damaged_log_is_in_the_summary(tmp_path):
    lines = [_line(i) for i in range(400)]
    lines[100] = '"' + lines[100]
    lines[200] = lines[200].replace("u4", '"u\n4"', 1)
    lines[300] = ""
    lines[301] = _line(301, scene="moon")
    _write(tmp_path / "logs", lines)
    (folder,) = _ours(tmp_path, max_malformed_share=0.01)
    summary = json.loads((folder / "ingestion" / "summary.json").read_text(encoding="utf-8"))
    assert summary["lines"] == {"read": 402, "header": 1, "blank": 1, "continuation": 1}
    assert summary["malformed"] == {"quote is not closed": 1, "unknown domain": 1}
    assert sum(summary["rows"].values()) == len(_decoded(folder)) == 402 - 3 - 2


class _Forgetful(Csv):
    """Loses a row."""

    def read(self, shard, columns):
        for rows in super().read(shard, columns):
            yield dataclasses.replace(rows, columns=rows.columns[1:], lines=rows.lines[1:])


def test_a_reader_that_loses_rows_is_found_out(tmp_path, monkeypatch):
    _write(tmp_path / "logs", list(map(_line, range(8))))
    monkeypatch.setitem(READERS._members, "csv", f"{__name__}:_Forgetful")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[_Forgetful.__module__])
    with pytest.raises(InputRefused, match="part-0.csv: of 9 lines 1 are unaccounted for"):
        _ours(tmp_path)


def test_same_examples_as_the_stock_component(tmp_path):
    log = pd.DataFrame(
        {
            "user": [f"u{i % 5}" for i in range(40)],
            "scene": ["feed", "search"] * 20,
            "price": [None if i % 9 == 0 else i / 4 for i in range(40)],
            "click": [i % 2 for i in range(40)],
            "buy": [0] * 40,
        }
    )
    (tmp_path / "logs").mkdir()
    log.to_csv(tmp_path / "logs" / "log.csv", index=False)
    contract = CONTRACT.model_copy(
        update={"features": {k: v for k, v in CONTRACT.features.items() if k != "clicks"}}
    )
    data = DataSettings.read({"path": str(tmp_path / "logs/*.csv"), "split": ROW_SPLIT})
    (ours,) = _run(tmp_path, LogExampleGen(data, contract, str(tmp_path / "quarantine")))
    split = example_gen_pb2.SplitConfig.Split(name="all", hash_buckets=1)
    output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=[split]))
    stock_node = tfx.components.CsvExampleGen(str(tmp_path / "logs"), output_config=output)
    (stock,) = _run(tmp_path, stock_node)

    def rows(folder):
        return sorted(repr(sorted(example.items())) for example in _decoded(folder))

    assert rows(ours) == rows(stock)
    assert len(rows(ours)) == 40


def test_malformed_rows_below_the_limit_are_quarantined(tmp_path):
    lines = [_line(i) for i in range(40)]
    lines[3] = _line(3, price="cheap")
    lines[5] = "too,few"
    lines[7] = _line(7, scene="moon")
    _write(tmp_path / "logs", lines)
    (folder,) = _ours(tmp_path, max_malformed_share=0.2)
    summary = json.loads((folder / "ingestion" / "summary.json").read_text(encoding="utf-8"))
    assert summary["malformed"] == {
        "not a number": 1,
        "wrong number of values": 1,
        "unknown domain": 1,
    }
    assert sum(summary["rows"].values()) == len(_decoded(folder)) == 37
    (file,) = Path(summary["quarantine"]).iterdir()
    rejected = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    places = {(Path(row["file"]).name, row["line"], row["column"]) for row in rejected}
    assert places == {
        ("part-0.csv", 5, "price"),
        ("part-0.csv", 7, None),
        ("part-0.csv", 9, "scene"),
    }


def test_unlisted_domains_are_refused_with_the_remedy_or_gathered(tmp_path):
    scenes = ["feed", "moon", "search", "", "mars", "feed", "feed", "search"]
    _write(tmp_path / "logs", [_line(i, scene=scene) for i, scene in enumerate(scenes)])
    with pytest.raises(InputRefused, match=r"domain.values, or gather .* domain.other: NAME"):
        _ours(tmp_path)
    domain = {"feature": "scene", "values": ["feed", "search"], "other": "rest"}
    contract = DataContract.read({**CONTRACT.model_dump(), "domain": domain})
    data = DataSettings.read({"path": str(tmp_path / "logs/*.csv"), "split": ROW_SPLIT})
    folder = _run(tmp_path, LogExampleGen(data, contract, str(tmp_path / "quarantine")))[-1]
    read = [example["scene"][0].decode() for example in _decoded(folder)]
    assert sorted(read) == ["feed"] * 3 + ["rest"] * 3 + ["search"] * 2


def test_every_malformed_row_counts_once(tmp_path):
    """Whatever the number of its faults, and of malformed rows in a batch."""
    bad = [_line(i, price="1e39", scene="moon") for i in range(15_000)]
    _write(tmp_path / "logs", [*map(_line, range(8)), *bad])
    with pytest.raises(InputRefused, match=r"15000 of 15008 rows are malformed \(99.95%"):
        _ours(tmp_path, max_malformed_share=0.9)
    (file,) = (tmp_path / "quarantine").glob("*/*.jsonl")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 15_000


def test_float32_overflow_is_no_number(tmp_path):
    _write(tmp_path / "logs", [*map(_line, range(8)), _line(8, price="1e39")])
    with pytest.raises(InputRefused, match="part-0.csv:10: price: not a number: '1e39'"):
        _ours(tmp_path)


def test_splits_name_features_and_leave_only_whole_files(tmp_path):
    _write(tmp_path / "logs", [_line(i) for i in range(600)])
    (tmp_path / "logs" / "_SUCCESS").touch()
    (tmp_path / "logs" / "folder").mkdir()
    features = {**CONTRACT.features}
    features["reader"] = features.pop("user").model_copy(update={"column": "user"})
    features["clicks"] = features["clicks"].model_copy(update={"of": "reader"})
    contract = CONTRACT.model_copy(update={"features": features})
    split = {"by": "hash", "of": "reader", "train": 0.4, "validation": 0.3, "test": 0.3}
    data = DataSettings.read({"path": str(tmp_path / "logs"), "split": split})
    (folder,) = _run(tmp_path, LogExampleGen(data, contract, str(tmp_path / "quarantine")))
    readers = [
        {row["reader"][0] for row in _decoded(folder, name)}
        for name in ("train", "validation", "test")
    ]
    assert sum(map(len, readers)) == len(set.union(*readers)) == 7
    assert not (folder / "ingestion" / "unfinished").exists()


def test_parquet_zeros_empty_texts_and_integer_ids(tmp_path):
    (tmp_path / "logs").mkdir()
    log = pa.table(
        {
            "user": pa.array([0, None, 2, 3]),
            "scene": pa.array(["feed"] * 4).dictionary_encode(),
            "price": [0.0, None, 2.5, float("nan")],
            "clicks": pa.array([[7, 0], [], None, [1]]),
            "click": [0, 1, 0, 1],
            "buy": pa.array([False, True, False, False]),
        }
    )
    pq.write_table(log, tmp_path / "logs" / "a.parquet", row_group_size=3)
    split = {"by": "row", "train": 0.5, "validation": 0.25, "test": 0.25}
    (folder,) = _ours(tmp_path, path=str(tmp_path / "logs"), reader="parquet", split=split)
    rows = [row for name in ("train", "validation", "test") for row in _decoded(folder, name)]
    assert [row["user"] for row in rows] == [[b"0"], [], [b"2"], [b"3"]]
    assert [row["price"] for row in rows] == [[0.0], [], [2.5], []]
    assert [row["clicks"] for row in rows] == [[b"7", b"0"], [], [], [b"1"]]
    assert [(row["click"], row["buy"]) for row in rows] == [
        ([0], [0]),
        ([1], [1]),
        ([0], [0]),
        ([1], [0]),
    ]


def test_shards_of_other_types_are_one_log(tmp_path):
    """What a null makes of a shard's types: integers become doubles; and what is left of it."""
    (tmp_path / "logs").mkdir()
    at = datetime.datetime(2026, 1, 1)
    first = {
        "user": [5, 1234567890123, 7],
        "scene": ["feed"] * 3,
        "price": [1, 2, -1],
        "clicks": [[5, 1234567890123], [], None],
        "click": [True, False, True],
        "buy": [False, False, True],
        "at": [at, at + datetime.timedelta(days=1), at + datetime.timedelta(days=2)],
    }
    second = {
        "user": [5.0, float("nan"), 1234567890123.0, 7.0],
        "scene": ["feed", "search", " NULL ", "feed"],
        "price": [1.5, None, 2.0, 3.0],
        "clicks": [[5.0, None], [float("nan")], [], []],
        "click": [1.0, 0.0, 1.0, None],
        "buy": ["true", "0", "1", "0"],
        "at": ["2026-01-01T01:00+01:00", "2026-01-02", "2026-01-03", "2026-01-04"],
    }
    third = {**second, "at": ["2026-01-03T00:00Z", None, "soon", "2026-02-30"]}
    third |= {"scene": ["feed"] * 4, "click": [0] * 4, "buy": [0] * 4}
    for name, columns in (("a", first), ("b", second), ("c", third)):
        pq.write_table(pa.table(columns), tmp_path / "logs" / f"{name}.parquet")
    split = {
        "by": "time",
        "column": "at",
        "validation_from": "2026-01-02",
        "test_from": "2026-01-03",
    }
    (folder,) = _ours(
        tmp_path,
        path=str(tmp_path / "logs"),
        reader="parquet",
        options={"missing": ["NULL", -1]},
        split=split,
        missing_label="quarantine",
        max_malformed_share=0.6,
    )
    users = {
        name: sorted(str((row["user"] or [b"-"])[0].decode()) for row in _decoded(folder, name))
        for name in ("train", "validation", "test")
    }
    assert users == {
        "train": ["5", "5"],
        "validation": ["-", "1234567890123"],
        "test": ["5", "7"],
    }
    rows = _decoded(folder)
    assert {row["user"][0]: row["clicks"] for row in rows if row["user"]}[b"5"] == [b"5"]
    assert sorted(row["price"] for row in rows) == [[], [], [1.0], [1.5], [1.5], [2.0]]
    summary = json.loads((folder / "ingestion" / "summary.json").read_text(encoding="utf-8"))
    assert summary["malformed"] == {
        "unknown domain": 1,
        "missing label": 1,
        "missing time": 1,
        "not a time": 2,
    }
    instants = {name: pd.to_datetime(ends, unit="us") for name, ends in summary["times"].items()}
    assert str(instants["train"].max()) == "2026-01-01 00:00:00"
    assert str(instants["test"].min()) == "2026-01-03 00:00:00"


def test_an_empty_split_says_where_the_rows_lie_in_time(tmp_path):
    _write(tmp_path / "logs", [_line(i, price=1704067200 + i) for i in range(8)])
    split = {"by": "time", "column": "price", "test_from": 1704067300, "validation_share": 0.5}
    with pytest.raises(
        InputRefused,
        match=r"no rows in split test \(train: \d from 17040672\d+ to 17040672\d+, validation: .*"
        r"test: 0\): change data.split",
    ):
        _ours(tmp_path, split=split)
    milliseconds = {**split, "test_from": 1704067300000}
    with pytest.raises(InputRefused, match=r"part-0.csv:2: column 'price' .*a thousandfold below"):
        _ours(tmp_path, split=milliseconds)


def test_a_damaged_page_is_refused_by_name(tmp_path):
    (tmp_path / "logs").mkdir()
    log = {"user": ["a"] * 9, "scene": ["feed"] * 9, "price": [1.5] * 9, "clicks": [["a"]] * 9}
    file = tmp_path / "logs" / "a.parquet"
    pq.write_table(pa.table({**log, "click": [1] * 9, "buy": [0] * 9}), file)
    data = bytearray(file.read_bytes())
    start = pq.ParquetFile(file).metadata.row_group(0).column(2).dictionary_page_offset
    data[start : start + 10] = b"\xff" * 10
    file.write_bytes(data)
    with pytest.raises(InputRefused, match="a.parquet: row group 0 cannot be read to its end: "):
        _ours(tmp_path, path=str(tmp_path / "logs"), reader="parquet")


def test_a_column_of_a_type_without_numbers_is_refused_by_name(tmp_path):
    (tmp_path / "logs").mkdir()
    log = {"user": ["a"], "scene": ["feed"], "price": [datetime.datetime(2026, 1, 1)]}
    log |= {"clicks": [["a"]], "click": [1], "buy": [0]}
    pq.write_table(pa.table(log), tmp_path / "logs" / "a.parquet")
    with pytest.raises(InputRefused, match=r"a.parquet:1: column 'price': its type timestamp"):
        _ours(tmp_path, path=str(tmp_path / "logs"), reader="parquet")


def test_too_many_malformed_rows_stop_the_run_and_stay_in_quarantine(tmp_path):
    _write(tmp_path / "logs", [_line(0), _line(1, price="cheap"), *map(_line, range(8))])
    with pytest.raises(InputRefused) as caught:
        _ours(tmp_path)
    message = str(caught.value)
    assert "1 of 10 rows are malformed (10.00%, the limit is 0.10%): not a number: 1" in message
    assert "part-0.csv:3: price: not a number: 'cheap'" in message
    assert "data.max_malformed_share" in message
    (file,) = (tmp_path / "quarantine").glob("*/summary.json")
    summary = json.loads(file.read_text(encoding="utf-8"))
    assert summary["lines"]["read"] == 11 and summary["refused"] == message
    assert len(list((tmp_path / "quarantine").glob("*/rejected-*.jsonl"))) == 1


def test_malformed_rows_are_told_with_a_remedy(tmp_path):
    _write(tmp_path / "logs", list(map(_line, range(20))))
    file = tmp_path / "logs" / "part-0.csv"
    file.write_bytes(file.read_bytes().replace(b"u3", b"\xe93", 1).replace(b"u4", b'"4', 1))
    with pytest.raises(InputRefused) as caught:
        _ours(tmp_path)
    message = str(caught.value)
    assert "2 of 20 rows are malformed" in message
    assert "data.options: {encoding: latin-1}" in message
    assert "data.options: {trust_quotes: true}" in message
    (folder,) = _ours(tmp_path, max_malformed_share=0.5)
    assert len(_decoded(folder)) == 18


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (_line(1, click=2), r"part-0.csv:3: column 'click': a label should be 0 or 1.*'2'"),
        (_line(1, click=""), r"part-0.csv:3: column 'click': a label should be 0 or 1"),
        (_line(1, click=0, buy=1), r"part-0.csv:3: column 'buy': buy is 1 where click is 0"),
    ],
)
def test_labels_against_the_contract_are_refused_whatever_their_share(tmp_path, line, message):
    _write(tmp_path / "logs", [_line(0), line, *map(_line, range(20))])
    with pytest.raises(InputRefused, match=message):
        _ours(tmp_path, max_malformed_share=0.9)


def test_missing_column_names_the_nearest(tmp_path):
    (tmp_path / "logs").mkdir()
    text = HEADER.replace("price", "prices") + "\n" + _line(0)
    (tmp_path / "logs" / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=r"a\.csv: no column 'price', did you mean 'prices'"):
        _ours(tmp_path)


def test_no_file_and_no_rows_and_an_empty_split(tmp_path):
    with pytest.raises(InputRefused, match="no file matches .*logs.*MTLX_DATA"):
        _ours(tmp_path)
    _write(tmp_path / "logs", list(map(_line, range(8))))
    with pytest.raises(InputRefused, match="no file matches [^ ]*lost"):
        _ours(tmp_path, path=[str(tmp_path / "logs" / "*.csv"), str(tmp_path / "lost" / "*")])
    _write(tmp_path / "logs", [])
    with pytest.raises(InputRefused, match="no rows in .*logs"):
        _ours(tmp_path)
    _write(tmp_path / "logs", [_line(0)])
    with pytest.raises(InputRefused, match="no rows in split train and test.*data.split"):
        _ours(tmp_path)


def test_gzip_gives_the_same_examples(tmp_path):
    lines = [_line(i) for i in range(8)]
    _write(tmp_path / "logs", lines)
    (plain,) = _ours(tmp_path)
    packed = tmp_path / "packed"
    packed.mkdir()
    source = (tmp_path / "logs" / "part-0.csv").read_bytes()
    (packed / "part-0.csv.gz").write_bytes(gzip.compress(source))
    folders = _ours(tmp_path, path=str(packed))
    assert _decoded(folders[-1]) == _decoded(plain)
