"""LogExampleGen as a real TFX node: Beam, ML-Metadata, files."""

import datetime
import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx import v1 as tfx
from tfx.proto import example_gen_pb2

from components.log_example_gen.component import LogExampleGen
from components.log_example_gen.rejection import InputRefused
from components.log_example_gen.settings import DataSettings
from transform.data_contract import DataContract

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


def test_second_run_is_cached_and_changed_input_is_not(tmp_path):
    _write(tmp_path / "logs", [_line(i) for i in range(8)])
    assert len(_ours(tmp_path)) == 1
    assert len(_ours(tmp_path)) == 1
    _write(tmp_path / "logs", [_line(i) for i in range(8)], [_line(i) for i in range(4)])
    assert len(_ours(tmp_path)) == 2


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
    assert len(list((tmp_path / "quarantine").glob("*/rejected-*.jsonl"))) == 1


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
