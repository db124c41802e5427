"""Ali-CCP's raw files, and those that AITM's code makes of them."""

import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.rejection import InputRefused
from tests.components.log_example_gen.readers.data_sets.sampled_logs import write_ali_ccp_aitm


def _features(*found):
    return "\x01".join(f"{field}\x02{value}\x03{weight}" for field, value, weight in found)


def _raw(folder, impressions, common):
    for part in ("train", "test"):
        lines = [
            f"{number},{click},{purchase},{key},{len(found)},{_features(*found)}"
            for number, (click, purchase, key, found) in enumerate(impressions, 1)
        ]
        (folder / f"sample_skeleton_{part}.csv").write_text("".join(f"{x}\n" for x in lines))
        lines = [f"{key},{len(found)},{_features(*found)}" for key, found in common]
        (folder / f"common_features_{part}.csv").write_text("".join(f"{x}\n" for x in lines))


COMMON = [
    ("k1", [("101", 31, 1.0), ("109_14", 7, 1.5), ("109_14", 8, 0.5), ("121", 4, 1.0)]),
    ("k2", [("101", 32, 1.0)]),
]


def _read(folder, columns):
    reader = READERS.build("ali_ccp", {})
    files = sorted(str(path) for path in folder.iterdir())
    return [list(reader.read(shard, columns)) for shard in reader.shards(files)]


def test_impressions_get_fields_of_their_own_and_in_common(tmp_path):
    impressions = [
        (1, 1, "k2", [("205", 61, 1.0), ("205", 62, 1.0), ("301", 9, 1.0)]),
        (0, 0, "k1", [("301", 8, 1.0), ("210", 1, 1.0), ("210", 2, 2.0)]),
    ]
    _raw(tmp_path, impressions, COMMON)
    columns = ["click", "purchase", "101", "121", "205", "210", "301", "109_14", "109_14.weights"]
    (rows,), test = _read(tmp_path, columns)
    values = rows.columns.to_pydict()
    assert values["click"] == values["purchase"] == ["1", "0"]
    assert values["101"] == ["32", "31"] and values["121"] == [None, "4"]
    # The last one counts, as in AITM's code; several fields have all.
    assert values["205"] == ["62", None] and values["210"] == ["", "1|2"]
    assert values["301"] == ["9", "8"]
    assert values["109_14"] == ["", "7|8"]
    assert values["109_14.weights"] == ["", "1.5|0.5"]
    assert rows.counted == 4 and rows.aside == {"joined": 2} and len(test) == 1


def test_a_purchase_without_a_click_is_left_out_with_its_line(tmp_path):
    impressions = [(0, 0, "k1", []), (0, 1, "k2", []), (1, 0, "k2", [])]
    _raw(tmp_path, impressions, COMMON)
    (rows,), _ = _read(tmp_path, ["101", "click"])
    assert rows.columns["101"].to_pylist() == ["31", "32"]
    assert rows.lines.tolist() == [1, 3]
    assert [(one.line, one.reason) for one in rows.rejected] == [(2, "purchase without click")]
    assert rows.counted == 5


def test_an_impression_without_its_common_features_is_marked(tmp_path):
    _raw(tmp_path, [(0, 0, "k3", []), (0, 1, "k3", []), (1, 0, "k1", [])], COMMON)
    (rows,), _ = _read(tmp_path, ["101"])
    assert rows.columns["101"].to_pylist() == [None, "31"]
    assert rows.unjoined["common_id"].tolist() == [True, False]
    assert rows.columns["common_id"].to_pylist() == ["k3", "k1"]


def test_common_features_that_stand_there_twice_are_refused(tmp_path):
    _raw(tmp_path, [(0, 0, "k1", [])], [*COMMON, COMMON[0]])
    with pytest.raises(InputRefused, match=r"common_features_train\.csv:3: key 'k1' stands"):
        _read(tmp_path, ["101"])


def test_a_field_that_there_is_not_is_refused_with_the_nearest(tmp_path):
    _raw(tmp_path, [(0, 0, "k1", [])], COMMON)
    with pytest.raises(InputRefused, match="no column '1011', did you mean '101'"):
        _read(tmp_path, ["1011"])


def test_a_missing_file_is_named(tmp_path):
    _raw(tmp_path, [(0, 0, "k1", [])], COMMON)
    (tmp_path / "common_features_test.csv").unlink()
    with pytest.raises(InputRefused, match=r"common_features_test\.csv is missing; get Ali-CCP"):
        _read(tmp_path, ["101"])


def test_reads_what_aitms_code_makes_with_and_without_its_header(tmp_path, samples):
    write_ali_ccp_aitm(tmp_path, samples)
    train, dev, test = _read(tmp_path / "ali-ccp", ["click", "purchase", "101", "205", "301"])
    assert sum(len(rows.lines) for rows in train) == 48
    assert sum(len(rows.lines) for rows in dev) == sum(len(rows.lines) for rows in test) == 50
    assert train[-1].columns["101"].to_pylist()[:2] == ["85077", "85077"]
    assert train[-1].columns["205"].to_pylist()[:2] == ["303983", "200850"]
    assert test[0].columns["101"][0].as_py() == "180467"
