"""Samples of the logs: even, whole rows, by the run's own reader."""

import csv
import gzip
import io

import pyarrow as pa
import pyarrow.parquet
import pytest

from mtlx.components.log_example_gen.readers.census_income import CensusIncome
from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.readers.parquet import Parquet
from mtlx.pipeline.log_sample import log_sample
from mtlx.pipeline.log_sample.log_sample import LogSample
from mtlx.pipeline.log_sample.text_blocks import TextBlocks, TextForm, text_form

FORM = TextForm(True, ",")


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(log_sample, "_BLOCK_BYTES", 600)


def _text(rows, start=0, value="x,y"):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "text"])
    writer.writerows([n, value] for n in range(start, start + rows))
    return text.getvalue().encode()


def _ids(sample):
    batches = [one for one in sample.batches(["id", "text"]) if one.rows.columns.num_rows]
    assert not sample.refused
    assert all(value == batches[0].rows.columns["text"][0].as_py()
               for batch in batches for value in batch.rows.columns["text"].to_pylist())  # fmt: skip
    return [int(i) for batch in batches for i in batch.rows.columns["id"].to_pylist()], batches


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("value", ["x,y", "plain", 'two\nlines "quoted"'])
def test_a_sample_of_text_is_even_and_of_whole_rows(tmp_path, small_blocks, pack, value):
    ending = ".csv" if pack is bytes else ".csv.gz"
    files = [str(tmp_path / f"{name}{ending}") for name in "ab"]
    for number, file in enumerate(files):
        with open(file, "wb") as stream:
            stream.write(pack(_text(3000, 3000 * number, value)))
    sample = LogSample(Csv(), files, FORM, 1500)
    ids, batches = _ids(sample)
    assert len(ids) == len(set(ids)) == sample.rows_read
    assert 700 < len(ids) < 2200  # fewer where records have two lines
    assert 0.8 < sample.total_rows / 6000 < 1.25
    assert sample.share == pytest.approx(len(ids) / 6000, rel=0.25)
    # Each tenth of the logs is seen, and about as much of it as of the others.
    tenths = [sum(600 * n <= one < 600 * (n + 1) for one in ids) for n in range(10)]
    assert min(tenths) > 0.4 * len(ids) / 10, tenths
    for batch in (
        batches if "\n" not in value else ()
    ):  # the position is that in the whole input, about
        assert batch.position == pytest.approx(int(batch.rows.columns["id"][0].as_py()), abs=700)


def test_blocks_that_follow_each_other_hold_every_row_once(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(_text(5000)))
    with TextBlocks(Csv(), str(file), FORM) as blocks:
        size = blocks.size()
        parts = [blocks.read(start, 3000) for start in range(0, size + 3000, 3000)]
    header = len(b"id,text\n")
    assert b"id,text\n" + b"".join(part.data[header:] for part in parts) == _text(5000)
    assert [part.first for part in parts[:2]] == [True, False]


def test_a_log_smaller_than_the_sample_is_read_whole(tmp_path):
    (tmp_path / "a.csv").write_bytes(_text(500))
    for wanted in (None, 1000):
        sample = LogSample(Csv(), [str(tmp_path / "a.csv")], FORM, wanted)
        ids, _ = _ids(sample)
        assert ids == list(range(500))
        assert (sample.share, sample.total_rows) == (1.0, 500)


def test_row_groups_are_thinned_out_evenly(tmp_path):
    files = []
    for number in range(2):
        files.append(str(tmp_path / f"{number}.parquet"))
        ids = range(10_000 * number, 10_000 * (number + 1))
        table = pa.table({"id": ids, "text": ["x"] * 10_000})
        pa.parquet.write_table(table, files[-1], row_group_size=500)
    sample = LogSample(Parquet(), files, None, 2000)
    ids, batches = _ids(sample)
    assert len(ids) == len(set(ids)) == pytest.approx(2000, rel=0.05)
    assert sample.total_rows == 20_000
    tenths = [sum(2000 * n <= one < 2000 * (n + 1) for one in ids) for n in range(10)]
    assert min(tenths) >= 100, tenths
    assert sample.share == len(ids) / 20_000
    # Within a row group, neither its head alone nor its tail.
    places = {id % 500 // 100 for id in ids}
    assert places == {0, 1, 2, 3, 4}
    assert all(b.position == b.rows.columns["id"][0].as_py() for b in batches if b.file == files[0])
    whole = LogSample(Parquet(), files, None, 20_000)
    assert _ids(whole)[0] == list(range(20_000))


def test_a_damaged_end_is_said_and_the_rest_is_kept(tmp_path, small_blocks):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(_text(9000))[:-2000])
    (tmp_path / "b.csv").write_bytes(_text(9000))
    sample = LogSample(Csv(), [str(tmp_path / name) for name in ("a.csv.gz", "b.csv")], FORM, 3000)
    assert list(sample.batches(["id"]))
    assert any("a.csv.gz: cannot be read to its end" in text for text in sample.refused)


def test_which_files_can_be_cut():
    assert text_form(Csv(), {}) == FORM
    assert text_form(Csv(), {"delimiter": ";"}) == TextForm(True, ";")
    assert text_form(Csv(), {"encoding": "utf-16"}) is None
    assert text_form(CensusIncome(), {}) == TextForm(False, ",")
    assert text_form(Parquet(), {}) is None
