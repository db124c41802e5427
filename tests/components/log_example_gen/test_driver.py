"""What the driver resolves before a run: files, spans and the fingerprint, or one clear refusal."""

import os

import pytest
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils

from mtlx.components.log_example_gen.component import range_of
from mtlx.components.log_example_gen.driver import Driver
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings


@pytest.fixture
def resolve(tmp_path):
    """Calls the driver on patterns below a folder; returns the properties that it resolves."""

    def function(*patterns, span=None, reader="csv", remedy=None, base=tmp_path):
        splits = [
            example_gen_pb2.Input.Split(name=f"input_{index}", pattern=pattern)
            for index, pattern in enumerate(patterns)
        ]
        data = DataSettings.read(
            {"reader": reader, "path": "x", "split": {"by": "hash", "of": "user"}}
        )
        spanned = range_of(span)
        properties = {
            "input_base": str(base),
            "input_config": proto_utils.proto_to_json(example_gen_pb2.Input(splits=splits)),
            "range_config": proto_utils.proto_to_json(spanned) if spanned else None,
            "data": data.to_json(),
            "remedy": remedy,
        }
        pipeline = data_types.PipelineInfo("", "")
        component = data_types.ComponentInfo("", "", pipeline)
        return Driver(None).resolve_exec_properties(properties, pipeline, component)

    return function


def _patterns(properties):
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(properties["input_config"], config)
    return [split.pattern for split in config.splits]


def _write(folder, name, text="user\na\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _fingerprint(properties):
    return properties["input_fingerprint"]


def test_files_behind_a_pattern_are_the_input(tmp_path, resolve):
    _write(tmp_path, "a.csv")
    found = resolve("*.csv")
    assert _patterns(found) == ["*.csv"]
    assert "content:" in _fingerprint(found)


def test_no_file_is_refused_with_the_pattern_and_the_remedy(tmp_path, resolve):
    _write(tmp_path, "other.txt")
    with pytest.raises(InputRefused) as caught:
        resolve("logs/*.csv", remedy=". The data set is at https://example.org")
    message = str(caught.value)
    assert message.startswith(f"no file matches {tmp_path}/logs/*.csv: check data.path")
    assert message.endswith("for relative paths. The data set is at https://example.org")


def test_each_of_several_patterns_needs_a_file(tmp_path, resolve):
    _write(tmp_path, "a.csv")
    with pytest.raises(InputRefused, match=r"no file matches .*/b\.csv or .*/c\.csv"):
        resolve("a.csv", "b.csv", "c.csv")


def test_of_a_data_sets_alternatives_those_that_are_there_stay(tmp_path, resolve):
    _write(tmp_path, "census-income.data")
    _write(tmp_path, "census-income.test.gz")
    names = [f"census-income.{part}{end}" for part in ("data", "test") for end in ("", ".gz")]
    found = resolve(*names, reader="census_income")
    assert _patterns(found) == ["census-income.data", "census-income.test.gz"]
    with pytest.raises(InputRefused, match="no file matches"):
        resolve("nothing", "nowhere", reader="census_income")


def test_the_latest_span_is_taken_unless_one_is_asked_for(tmp_path, resolve):
    for span in (1, 2, 10):
        _write(tmp_path, f"span={span}/a.csv")
    latest = resolve("span={SPAN}/*.csv")
    assert (latest["span"], _patterns(latest)) == (10, ["span=10/*.csv"])
    asked = resolve("span={SPAN}/*.csv", span=2)
    assert (asked["span"], _patterns(asked)) == (2, ["span=2/*.csv"])


def test_days_are_spans_that_count_from_1970(tmp_path, resolve):
    for day in (30, 31):
        _write(tmp_path, f"2026-01-{day}/a.csv")
    found = resolve("{YYYY}-{MM}-{DD}/*.csv", span="2026-01-30")
    assert _patterns(found) == ["2026-01-30/*.csv"]
    # 56 years, of which 14 are leap years, and 29 days.
    assert found["span"] == 56 * 365 + 14 + 29
    assert _patterns(resolve("{YYYY}-{MM}-{DD}/*.csv")) == ["2026-01-31/*.csv"]


def test_a_span_without_files_is_refused_by_its_number(tmp_path, resolve):
    _write(tmp_path, "span=1/a.csv")
    with pytest.raises(InputRefused, match=r"span=\{SPAN\}/\*\.csv: check data\.path and the span"):
        resolve("span={SPAN}/*.csv", span=7)
    with pytest.raises(InputRefused, match="Looked for the latest span of"):
        resolve("day={SPAN}/*.csv")


def test_a_span_that_has_no_place_in_the_paths_is_refused(tmp_path, resolve):
    _write(tmp_path, "a.csv")
    with pytest.raises(InputRefused, match=r"no data\.path has \{SPAN\} in it: leave the span"):
        resolve("*.csv", span=3)


def test_another_content_of_the_same_size_and_time_is_another_input(tmp_path, resolve):
    """The stock fingerprint sees sizes and times alone."""
    path = _write(tmp_path, "a.csv", "user\na\n")
    os.utime(path, (10**9, 10**9))
    before = _fingerprint(resolve("*.csv"))
    assert _fingerprint(resolve("*.csv")) == before
    path.write_text("user\nb\n")
    os.utime(path, (10**9, 10**9))
    after = _fingerprint(resolve("*.csv"))
    assert before.split("\ncontent:")[0] == after.split("\ncontent:")[0]
    assert before != after


def test_files_of_another_span_are_no_part_of_the_fingerprint(tmp_path, resolve):
    _write(tmp_path, "span=1/a.csv")
    before = _fingerprint(resolve("span={SPAN}/*.csv", span=1))
    _write(tmp_path, "span=2/a.csv")
    assert _fingerprint(resolve("span={SPAN}/*.csv", span=1)) == before


def test_a_folder_with_marks_of_a_pattern_in_its_name_is_taken_as_it_is(tmp_path, resolve):
    base = tmp_path / "log[1]"
    _write(base, "part[2].csv", "user\nright\n")
    _write(tmp_path / "log1", "part2.csv", "user\nwrong\n")
    found = resolve("part[2].csv", base=base)
    before = _fingerprint(found)
    _write(tmp_path / "log1", "part2.csv", "user\nother\n")
    assert _fingerprint(resolve("part[2].csv", base=base)) == before
    _write(base, "part[2].csv", "user\nelse\n")
    assert _fingerprint(resolve("part[2].csv", base=base)) != before


def test_a_file_that_is_gone_while_it_is_digested_is_named(tmp_path, resolve, monkeypatch):
    path = _write(tmp_path, "a.csv")

    def gone(paths):
        return open(f"{paths[0]}.gone", "rb")

    monkeypatch.setattr("mtlx.components.log_example_gen.driver.content_digest", gone)
    with pytest.raises(InputRefused, match=rf"{path}\.gone: cannot be read: No such file"):
        resolve("*.csv")
