"""What the heads of the logs tell: formats, splits, columns, which files are opened."""

import builtins

import pyarrow as pa
import pyarrow.parquet
import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.preflight import log_files
from mtlx.pipeline.preflight.log_files import log_problems

HEADER = "user,item,price,scenario,click,buy\n"
ROW = "u,i,1.5,feed,1,0\n"


def _problems(path, *overrides, must_exist=True):
    return log_problems(read_experiment(path, overrides).anchored(), must_exist)


@pytest.fixture
def one_log(write, tmp_path):
    """Writes one file with the given bytes; returns an experiment on it, and its path."""

    def function(content, name="x.csv", **data):
        file = tmp_path / name
        file.write_bytes(content)
        split = {"by": "hash", "of": "user"}
        path = write(data={"path": str(file), "split": split, **data})
        return path, file

    return function


def test_right_logs_have_no_problems(write):
    assert _problems(write()) == []


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (b"PAR1....", "is a Parquet file, not text: set data.reader: parquet"),
        (b"PK\x03\x04....", "is a zip file, not text: unpack it"),
        (b"ORC.....", "is a ORC file, not text: convert it to Parquet"),
        (b"Obj\x01....", "is a Avro file, not text: convert it to Parquet"),
        (b"\x28\xb5\x2f\xfd....", "is a Zstandard file, not text: unpack it, or pack it with gzip"),
        (b"BZh91AY&", "is a bzip2 file, not text: unpack it, or pack it with gzip"),
        (b"\xfd7zXZ\x00..", "is a xz file, not text: unpack it, or pack it with gzip"),
    ],
)
def test_a_format_is_told_by_its_first_bytes_whatever_the_name(one_log, start, problem):
    path, file = one_log(start)
    assert _problems(path) == [f"data: {file}: {problem}"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"user,item\n", "is no Parquet file; for"),
        (b"\x1f\x8b\x08\x00", "(it is packed with gzip)"),
    ],
)
def test_text_is_no_parquet(one_log, content, words):
    path, file = one_log(content, "x.parquet", reader="parquet")
    (problem,) = _problems(path)
    assert problem.startswith(f"data: {file}: is no Parquet file") and words in problem
    assert "for text set data.reader: csv" in problem


def test_broken_parquet_names_the_file(one_log):
    path, file = one_log(b"PAR1" + b"\x00" * 50, "x.parquet", reader="parquet")
    (problem,) = _problems(path)
    assert problem.startswith(f"data: {file}: ")


def test_a_parquet_file_is_checked_by_its_rows(one_log, tmp_path):
    path, file = one_log(b"", "x.parquet", reader="parquet")
    names = HEADER.strip().split(",")
    good = {
        name: ["u", "i", 1.5, "feed", 1, 0][index : index + 1] for index, name in enumerate(names)
    }
    pyarrow.parquet.write_table(pa.table(good), file)
    assert _problems(path) == []
    pyarrow.parquet.write_table(pa.table({**good, "click": [7]}), file)
    (problem,) = _problems(path)
    assert "column 'click': a label should be 0 or 1" in problem
    pyarrow.parquet.write_table(pa.table(good).drop(["price"]), file)
    assert "no column 'price'" in _problems(path)[0]


def test_no_logs_are_a_problem_unless_they_are_not_seen_from_here(write):
    path = write()
    overrides = ["data.path=/none/*.csv"]
    (problem,) = _problems(path, *overrides)
    assert problem.startswith("data.path: no file matches /none/*.csv: check data.path")
    assert _problems(path, *overrides, must_exist=False) == []
    assert _problems(path, "data.path=gs://none/*.csv") == []


def test_a_split_by_file_is_checked_over_all_files(write):
    """Before their heads are, and with all patterns that match nothing."""
    path = write()
    problems = _problems(path, "data.split.train=['day=1/*', 'a/*']", "data.split.test=['b/*']")
    assert [problem.split(";")[0] for problem in problems[:2]] == [
        "data.split: train: no file matches 'a/*'",
        "data.split: test: no file matches 'b/*'",
    ]
    assert "day=2" in problems[2] and len(problems) == 3
    assert "a.csv" in problems[0]  # what there is, to compare the pattern with


def test_all_malformed_is_a_problem_and_some_malformed_is_none(one_log):
    wrong = "u,i,viel,feed,0,0\n"
    path, file = one_log((HEADER + wrong * 5).encode())
    (problem,) = _problems(path)
    assert problem.startswith("data: all of the first 5 rows are malformed, such as")
    assert f"{file}:2: price: not a number: 'viel'" in problem
    path, _ = one_log((HEADER + wrong * 5 + ROW).encode())
    assert _problems(path) == []


def test_a_header_without_rows_is_none(one_log):
    assert _problems(one_log(HEADER.encode())[0]) == []


def test_of_many_files_forty_are_opened_the_first_and_last_among_them(write, tmp_path, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    files = [folder / f"{number:03d}.csv" for number in range(200)]
    for file in files:
        file.write_text(HEADER + ROW, encoding="utf-8")
    path = write(data={"path": str(folder / "*.csv"), "split": {"by": "hash", "of": "user"}})
    opened, real = set(), builtins.open

    def seen(file, *arguments, **keywords):
        if str(file).startswith(str(folder)):
            opened.add(str(file))
        return real(file, *arguments, **keywords)

    monkeypatch.setattr(builtins, "open", seen)
    assert _problems(path) == []
    assert len(opened) == log_files._MOST_FILES
    assert {str(files[0]), str(files[-1])} <= opened
    # And so a fault in the last file is found, though not every file is opened.
    files[-1].write_text(HEADER.replace("price", "prize") + ROW, encoding="utf-8")
    assert "no column 'price', did you mean 'prize'" in _problems(path)[0]


def test_the_stock_reader_is_not_held_to_our_row_checks(write, tmp_path):
    split = {
        "by": "file",
        "train": ["logs/day=1/*"],
        "validation": ["logs/day=2/*"],
        "test": ["logs/day=2/*"],
    }
    path = write(
        data={"path": f"{tmp_path}/", "split": split},
        components={"example_gen": "stock", "statistics": "stock"},
    )
    log = tmp_path / "logs/day=1/a.csv"
    log.write_text(HEADER + "u,i,x,feed,9,9\n", encoding="utf-8")
    assert _problems(path) == []
    log.write_text("user,item\nu,i\n", encoding="utf-8")
    assert f"{log}: no column 'price'" in _problems(path)[0]
