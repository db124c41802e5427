"""Every reader on small files in its layout, and the data sets' readers on the real files."""

import gzip
import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.census_income import FIELDS
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.transform.config.settings import SettingsError


def _read(reader, files, columns):
    batches = [batch for shard in reader.shards(files) for batch in reader.read(shard, columns)]
    table = pa.concat_tables([batch.columns for batch in batches])
    lines = np.concatenate([batch.lines for batch in batches])
    return table.to_pydict(), lines.tolist(), [row for b in batches for row in b.rejected]


def _data_folder(name):
    roots = [os.environ.get("MTLX_DATA"), Path(__file__).parents[5] / "shared" / "data"]
    for root in roots:
        if root and (Path(root) / name).is_dir():
            return Path(root) / name
    pytest.skip(f"no {name} under MTLX_DATA or ../shared/data")


def test_csv_numbers_lines_past_wrong_and_blank_ones(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('a,b\n1,x\n2\n\n3,"y, z"\n4,5,6\n5,w\n', encoding="utf-8")
    values, lines, rejected = _read(READERS.build("csv", {}), [str(file)], ["b", "a"])
    assert values == {"b": ["x", "y, z", "w"], "a": ["1", "3", "5"]}
    assert lines == [2, 5, 7]
    assert [(row.line, row.reason) for row in rejected] == [
        (3, "wrong number of values"),
        (6, "wrong number of values"),
    ]


def test_csv_over_many_blocks_keeps_line_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", 64)
    rows = [f"{i},x" if i % 10 else f"{i}" for i in range(1, 101)]
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + "\n".join(rows) + "\n", encoding="utf-8")
    values, lines, rejected = _read(READERS.build("csv", {}), [str(file)], ["a"])
    assert [int(value) + 1 for value in values["a"]] == lines
    assert [row.line for row in rejected] == list(range(11, 102, 10))


def test_csv_values_with_line_breaks_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", 100)
    file = tmp_path / "a.csv"
    rows = "".join(f'{i},"x\ny{i}"\n' for i in range(200))
    file.write_text(f"a,b\n{rows}", encoding="utf-8")
    values, _, rejected = _read(READERS.build("csv", {}), [str(file)], ["a", "b"])
    assert values["b"] == [f"x\ny{i}" for i in range(200)] and not rejected


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("a,a\n1,2\n", "'a' stands twice"), ("x\n1\n", "no column 'a'")],
)
def test_csv_that_cannot_be_read(tmp_path, text, message):
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=f"a.csv.*{message}"):
        _read(READERS.build("csv", {}), [str(file)], ["a"])


def test_csv_with_another_delimiter_and_gzip(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"a;b\n1;2\n"))
    values, _, _ = _read(READERS.build("csv", {"delimiter": ";"}), [str(file)], ["a", "b"])
    assert values == {"a": ["1"], "b": ["2"]}


def test_damaged_gzip_is_one_clear_error(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)[:-200])
    with pytest.raises(InputRefused, match="a.csv.gz: cannot be read"):
        _read(READERS.build("csv", {}), [str(file)], ["a"])


def test_parquet_keeps_zeros_and_empty_texts(tmp_path):
    file = tmp_path / "a.parquet"
    table = pa.table({"n": [0, 1, None], "x": [0.0, None, 2.0], "s": ["", None, "b"]})
    lists = pa.array([["a", ""], [], None])
    pq.write_table(table.append_column("l", lists), file, row_group_size=2)
    reader = READERS.build("parquet", {})
    assert len(reader.shards([str(file)])) == 2
    values, lines, _ = _read(reader, [str(file)], ["s", "n", "x", "l"])
    assert values == {
        "s": ["", None, "b"],
        "n": [0, 1, None],
        "x": [0.0, None, 2.0],
        "l": [["a", ""], [], None],
    }
    assert lines == [1, 2, 3]


def test_parquet_that_is_none(tmp_path):
    file = tmp_path / "a.parquet"
    file.write_bytes(b"no parquet")
    with pytest.raises(InputRefused, match="cannot be read as Parquet"):
        READERS.build("parquet", {}).shards([str(file)])


def _census_line(**values):
    row = {name: "0" for name in FIELDS} | {
        "marital_status": "Divorced",
        "total_income": "- 50000.",
    }
    return ", ".join((row | values).values())


def test_census_labels_missing_values_and_categories(tmp_path):
    file, other = tmp_path / "census-income.data", tmp_path / "census-income.test"
    other.touch()
    lines = [
        _census_line(hispanic_origin="NA", migration_code_msa="?"),
        _census_line(marital_status="Never married", total_income="50000+."),
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    reader = READERS.build("census_income", {})
    columns = ["income", "never_married", "hispanic_origin", "migration_code_msa", "age"]
    values, lines, _ = _read(reader, [str(file), str(other)], columns)
    assert values == {
        "income": ["0", "1"],
        "never_married": ["0", "1"],
        "hispanic_origin": ["NA", "0"],
        "migration_code_msa": [None, "0"],
        "age": ["0", "0"],
    }
    assert lines == [1, 2]
    with pytest.raises(InputRefused, match="no column 'instance_weight'"):
        _read(reader, [str(file), str(other)], ["instance_weight"])


def test_census_leaves_an_unknown_label_to_be_refused(tmp_path):
    files = [tmp_path / "census-income.data", tmp_path / "census-income.test"]
    for file in files:
        file.write_text(_census_line(total_income="?", marital_status="Single"), encoding="utf-8")
    reader = READERS.build("census_income", {})
    values, _, _ = _read(reader, [str(file) for file in files], ["income", "never_married"])
    assert values == {"income": ["?", "?"], "never_married": ["Single", "Single"]}


def test_census_needs_both_files_and_reads_each_once():
    reader = READERS.build("census_income", {})
    with pytest.raises(InputRefused, match="/x: census-income.test .*missing.*archive.ics.uci"):
        reader.shards(["/x/census-income.data.gz"])
    files = ["/x/census-income.data", "/x/census-income.data.gz", "/x/census-income.test.gz"]
    assert [shard.files for shard in reader.shards(files)] == [(files[0],), (files[2],)]


def test_census_as_distributed():
    folder = _data_folder("census-income-kdd")
    reader = READERS.build("census_income", {})
    shards = reader.shards([str(path) for path in folder.iterdir()])
    for shard, counts in zip(shards, ((199_523, 12_382), (99_762, 6_186)), strict=True):
        batches = list(reader.read(shard, ["income", "never_married"]))
        table = pa.concat_tables([batch.columns for batch in batches])
        incomes = table["income"].to_pylist()
        assert (len(incomes), incomes.count("1")) == counts
        assert set(incomes) == set(table["never_married"].to_pylist()) == {"0", "1"}
        assert not [row for batch in batches for row in batch.rejected]


def _movielens(folder, packed):
    files = {
        "ratings.dat": "1::10::5::100\n1::20::3::101\n2::10::4::102\n3::20::1::103\n",
        "users.dat": "1::F::1::3::48067\n2::M::25::4::70072\n3::M::56::5::55117\n",
        "movies.dat": "10::Caf\xe9 (1990)::Drama|War\n20::B (1991)::Comedy\n",
    }
    if packed:
        with zipfile.ZipFile(folder / "ml-1m.zip", "w") as archive:
            for name, text in files.items():
                archive.writestr(f"ml-1m/{name}", text.encode("latin-1"))
        return [str(folder / "ml-1m.zip")]
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    return [str(folder / name) for name in files]


@pytest.mark.parametrize("packed", [False, True])
def test_movielens_joins_and_labels(tmp_path, packed):
    reader = READERS.build("movielens_1m", {})
    columns = ["user_id", "genre", "domain", "click", "like", "title"]
    values, lines, _ = _read(reader, _movielens(tmp_path, packed), columns)
    assert values == {
        "user_id": [1, 1, 2, 3],
        "genre": ["Drama", "Comedy", "Drama", "Comedy"],
        "domain": ["under_25", "under_25", "25_34", "35_and_over"],
        "click": [1, 0, 1, 0],
        "like": [1, 0, 0, 0],
        "title": ["Caf\xe9 (1990)", "B (1991)", "Caf\xe9 (1990)", "B (1991)"],
    }
    assert lines == [1, 2, 3, 4]


def test_movielens_without_a_file_names_it_and_the_address(tmp_path):
    files = _movielens(tmp_path, False)[:2]
    with pytest.raises(InputRefused, match="movies.dat is missing.*grouplens.org"):
        _read(READERS.build("movielens_1m", {}), files, ["click"])


def test_movielens_rejects_malformed_rows_by_line(tmp_path):
    files = _movielens(tmp_path, False)
    ratings = tmp_path / "ratings.dat"
    ratings.write_bytes(ratings.read_bytes() + b"1::20::good::5\n1::20\n3::10::4::9\n")
    values, lines, rejected = _read(READERS.build("movielens_1m", {}), files, ["click"])
    assert (values["click"], lines) == ([1, 0, 1, 0, 1], [1, 2, 3, 4, 7])
    assert {(row.line, row.column, row.reason) for row in rejected} == {
        (5, "rating", "not a number"),
        (6, None, "wrong number of values"),
    }


def test_movielens_accounts_for_the_lines_of_all_three_files(tmp_path):
    files = _movielens(tmp_path, False)
    for name, more in (
        ("users.dat", b"2::F::1::4::70072\n"),
        ("ratings.dat", b"1::10::1e300::5\n\n"),
    ):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + more)
    reader = READERS.build("movielens_1m", {})
    batches = [batch for shard in reader.shards(files) for batch in reader.read(shard, ["domain"])]
    assert [value for batch in batches for value in batch.columns["domain"].to_pylist()] == [
        "under_25", "under_25", "25_34", "35_and_over",
    ]  # fmt: skip
    rejected = {(row.line, row.column, row.reason) for batch in batches for row in batch.rejected}
    assert rejected == {(4, "user_id", "stands there twice"), (5, "rating", "not a number")}
    assert sum(batch.read for batch in batches) == 4 + 2 + 6
    assert batches[0].aside == {"joined": 5, "blank": 1}


def test_encodings_of_the_data_sets(tmp_path):
    files = _movielens(tmp_path, False)
    for file in files:
        text = Path(file).read_bytes().decode("latin-1")
        Path(file).write_bytes(text.encode("utf-16"))
    values, *_ = _read(READERS.build("movielens_1m", {"encoding": "utf-16"}), files, ["title"])
    assert values["title"][0] == "Caf\xe9 (1990)"
    files = [tmp_path / "census-income.data", tmp_path / "census-income.test"]
    for file in files:
        file.write_bytes(_census_line(education="\xe9").encode("latin-1"))
    names = [str(file) for file in files]
    values, _, rejected = _read(READERS.build("census_income", {}), names, ["education"])
    assert values == {"education": []} and len(rejected) == 2
    reader = READERS.build("census_income", {"encoding": "latin-1"})
    assert _read(reader, names, ["education"])[0] == {"education": ["\xe9"] * 2}


def test_movielens_zip_that_is_none(tmp_path):
    file = tmp_path / "ml-1m.zip"
    file.write_bytes(b"no zip")
    with pytest.raises(InputRefused, match="ml-1m.zip: cannot be unpacked.*grouplens"):
        _read(READERS.build("movielens_1m", {}), [str(file)], ["click"])


def test_movielens_in_m3oes_order():
    folder = _data_folder("ml-1m")
    reader = READERS.build("movielens_1m", {"order": "m3oe"})
    files = [str(path) for path in sorted(folder.iterdir())]
    columns = ["user_id", "domain"]
    # A million rows: as Arrow has them, not as lists.
    table = pa.concat_tables(
        [batch.columns for shard in reader.shards(files) for batch in reader.read(shard, columns)]
    )
    counted = table["domain"].value_counts().to_pylist()
    assert {found["values"]: found["counts"] for found in counted} == {
        "under_25": 210_747,
        "25_34": 395_556,
        "35_and_over": 393_906,
    }
    users = table["user_id"].to_numpy()
    train, test = users[: int(len(users) * 0.8)], users[int(len(users) * 0.9) :]
    assert len(set(test)) == 1567
    assert not set(test) & set(train)


def test_unknown_options_are_refused():
    with pytest.raises(SettingsError, match="unknown option 'sep' of 'csv'"):
        READERS.build("csv", {"sep": ";"})
