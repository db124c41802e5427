"""A day in shards: every row once and in order, in each format, whatever the chunks."""

import gzip

import pyarrow as pa
import pyarrow.parquet
import pytest

from mtlx.pipeline.simulation.day_writer import DayWriter
from mtlx.pipeline.simulation.log_columns import SEQUENCES, TAGS
from mtlx.pipeline.simulation.settings import SimulationSettings

ROWS, DAYS = 23, 2


def _log(first, count):
    numbers = list(range(first, first + count))
    lists = [[f"i{n}", "x"] if n % 3 else [] for n in numbers]
    kind = pa.list_(pa.string())
    return pa.table(
        {"id": pa.array(numbers, pa.int64()), "name": pa.array(['größe, "a"'] * count, pa.string())}
        | {name: pa.array(lists, kind) for names in SEQUENCES.values() for name in names}
        | {TAGS[0]: pa.array(lists, kind)}
        | {TAGS[1]: pa.array([[0.5] * len(each) for each in lists], pa.list_(pa.float32()))}
    )


def _written(folder, chunks, **settings):
    """Writes day 2 in chunks of the given sizes; returns its files."""
    made = SimulationSettings(rows=ROWS * DAYS, days=DAYS, **settings)
    assert made.rows_of_day(2) == sum(chunks) == ROWS
    first = 0
    with DayWriter(folder, 2, made) as writer:
        for count in chunks:
            keys = pa.array(range(first, first + count), pa.int64())
            writer.write(_log(first, count), pa.table({"id": keys}))
            first += count
    return sorted((folder / "logs" / "day=02").iterdir())


@pytest.mark.parametrize("shards", [1, 2, 5, 23])
@pytest.mark.parametrize("chunks", [[23], [1] * 23, [10, 0, 13], [22, 1]])
def test_every_row_is_in_one_shard_and_in_order(tmp_path, shards, chunks):
    files = _written(tmp_path, chunks, shards=shards, format="parquet")
    assert [file.name for file in files] == [
        f"part-{shard:05d}-of-{shards:05d}.parquet" for shard in range(shards)
    ]
    tables = [pyarrow.parquet.read_table(file, partitioning=None) for file in files]
    # As rows: what a list's values are called differs between versions of Arrow.
    assert pa.concat_tables(tables).to_pylist() == _log(0, ROWS).to_pylist()
    lengths = [len(table) for table in tables]
    assert max(lengths) - min(lengths) <= 1
    truth = pyarrow.parquet.read_table(tmp_path / "ground_truth" / "day=02.parquet")
    assert truth["id"].to_pylist() == list(range(ROWS))


def test_csv_has_a_header_in_each_shard_and_quotes_what_needs_it(tmp_path):
    files = _written(tmp_path, [23], shards=2)
    texts = [file.read_text(encoding="utf-8").splitlines() for file in files]
    assert texts[0][0] == texts[1][0] and texts[0][0].startswith('"id","name","clicked_items"')
    assert len(texts[0]) + len(texts[1]) == ROWS + 2
    assert texts[0][1].startswith('0,"größe, ""a""",')
    assert texts[0][1].endswith('""",,,,,,,,') and '"i1|x"' in texts[0][2]


def test_packed_files_hold_the_same_and_are_the_same_bytes_each_time(tmp_path):
    plain = _written(tmp_path / "plain", [23])
    packed = _written(tmp_path / "packed", [23], gzip=True)
    again = _written(tmp_path / "again", [23], gzip=True)
    assert [file.name for file in packed] == [f"{file.name}.gz" for file in plain]
    for one, two, three in zip(plain, packed, again, strict=True):
        assert gzip.decompress(two.read_bytes()) == one.read_bytes()
        assert two.read_bytes() == three.read_bytes()


def test_the_bytes_of_a_day_do_not_hang_on_its_chunks(tmp_path):
    one, other = (_written(tmp_path / name, chunks) for name, chunks in
                  (("a", [23]), ("b", [7, 9, 7])))  # fmt: skip
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


def test_an_error_closes_the_files(tmp_path):
    """So that what was written can be removed, and its descriptors are free."""
    made = SimulationSettings(rows=ROWS * DAYS, days=DAYS)
    with pytest.raises(ValueError, match="mine"):
        with DayWriter(tmp_path, 1, made) as writer:
            writer.write(_log(0, 5), pa.table({"id": range(5)}))
            raise ValueError("mine")
    with pytest.raises(FileExistsError):  # A day is written once.
        DayWriter(tmp_path, 1, made).__enter__()
