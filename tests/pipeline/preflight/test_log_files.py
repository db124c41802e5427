"""What the heads of the logs tell: formats, splits, columns, which files are opened."""

import builtins
import shutil

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

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


def test_rows_that_conditions_leave_out_are_not_malformed(one_log):
    """Logs are often sorted: of the rows behind the heads, all may meet the conditions."""
    where = [{"column": "scenario", "one_of": ["search"]}]
    path, _ = one_log((HEADER + ROW * 5).encode(), where=where)
    assert _problems(path) == []
    wrong = "u,i,viel,search,0,0\n"
    path, file = one_log((HEADER + ROW * 5 + wrong * 2).encode(), where=where)
    (problem,) = _problems(path)
    assert problem.startswith("data: all of the first 2 rows that meet data.where are malformed")
    assert f"{file}:7: price: not a number: 'viel'" in problem


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


@pytest.fixture
def windowed(write, tmp_path):
    """An experiment with a window over four days; the files of some are written by name."""

    def function(**days):
        for number in (1, 2, 3, 4):
            file = tmp_path / f"logs/day={number}/a.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(days.get(f"day{number}", HEADER + 20 * ROW), encoding="utf-8")
        path = write()
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        data = {"path": str(tmp_path / "logs/day={SPAN}/*.csv"), "window": {"train": 3}}
        path.write_text(yaml.safe_dump({**values, "data": data}, sort_keys=False), encoding="utf-8")
        return path

    return function


def test_right_spans_have_no_problems(windowed):
    assert _problems(windowed()) == []


def test_a_span_with_other_columns_is_named(windowed):
    (problem,) = _problems(windowed(day2="user,item,price,scenario,klick,buy\n" + 20 * ROW))
    assert problem.startswith("data: span 2: ") and "day=2/a.csv" in problem
    assert "'click'" in problem


def test_a_span_of_another_format_is_named(windowed):
    (problem,) = _problems(windowed(day3="PAR1...."))
    assert problem.startswith("data: span 3: ") and "is a Parquet file" in problem


def test_an_empty_span_is_named_unless_gaps_are_allowed(windowed, tmp_path):
    path = windowed(day2=HEADER)
    assert _problems(path) == [
        f"data: span 2: no rows in {tmp_path}/logs/day=2/a.csv: mend it, or set data.gaps: allow "
        "to go on without"
    ]
    assert _problems(path, "data.gaps=allow") == []


def test_the_newest_span_may_not_be_empty(windowed):
    path = windowed(day4=HEADER)
    (problem,) = _problems(path, "data.gaps=allow")
    assert problem.startswith("data: span 4: no rows in ") and problem.endswith(": mend it")


def test_a_missing_span_is_named_before_files_are_opened(windowed, tmp_path, monkeypatch):
    path = windowed()
    shutil.rmtree(tmp_path / "logs/day=3")
    (problem,) = _problems(path)
    assert problem.startswith("data.path: the logs lack span 3, within the window of spans 1 to 4")
    assert _problems(path, "data.gaps=allow") == []
    assert _problems(path, must_exist=False) == []


def test_every_span_of_a_long_window_is_looked_into(windowed, monkeypatch):
    monkeypatch.setattr(log_files, "_MOST_FILES", 2)
    (problem,) = _problems(windowed(day3="user\nu\n"))
    assert problem.startswith("data: span 3: ")
