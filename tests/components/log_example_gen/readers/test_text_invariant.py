"""Delivered, malformed and refused are what the file holds, for any bytes."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_cases import CASES
from benchmarks.fuzz_judges import LOSS, RIGHT, judge
from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.readers.reader import Shard
from mtlx.components.log_example_gen.rejection import InputRefused

HEADER = b"a,b,c\n"
#: What text is made of, where it is made to go wrong.
PIECES = st.sampled_from(
    [b"x", b"1", b",", b'"', b'""', b"\n", b"\r", b"\r\n", b"\xe9", "é".encode(), b"\0", b" ",
     b'",', b',"', b"1,2,3\n", b'"1,2",2,3\n', b",,\n", b"\xef\xbb\xbf"]
)  # fmt: skip
SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def _account(path):
    """Values by line, lines that are malformed, others; or None where the file is refused."""
    try:
        batches = list(Csv().read(Shard((str(path),)), ["a", "b", "c"]))
    except InputRefused as error:
        assert str(path) in str(error)
        return None
    delivered = {}
    for batch in batches:
        values = zip(*batch.columns.to_pydict().values(), strict=True)
        assert len(batch.lines) == batch.columns.num_rows
        delivered.update(zip(batch.lines.tolist(), values, strict=True))
    malformed = [row.line for batch in batches for row in batch.rejected]
    aside = sum((Counter(batch.aside) for batch in batches), Counter())
    return delivered, malformed, aside


def _check(path, text):
    """Every line of the text is in the account, once, and as it stands."""
    account = _account(path)
    if account is None:
        return
    delivered, malformed, aside = account
    lines = text.splitlines()
    assert len(delivered) + len(malformed) + aside.total() == len(lines)
    assert len({1, *delivered, *malformed}) == 1 + len(delivered) + len(malformed)
    for number, line in enumerate(lines, 1):
        if number == 1 or number in malformed or b"\0" in line:
            continue
        if line and b'"' not in line and line.count(b",") == 2:
            # Whole by itself: no other row may have swallowed it.
            assert delivered[number] == tuple(line.decode().split(","))
        elif number in delivered and line.count(b'"') % 2 == 0:
            values = next(csv.reader([line.decode()]))
            assert len(values) != 3 or delivered[number] == tuple(values)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("text") / "log.csv"


@SETTINGS
@given(
    body=st.one_of(st.lists(PIECES, max_size=40).map(b"".join), st.binary(max_size=60)),
    packed=st.booleans(),
)
def test_any_bytes_behind_a_header(path, body, packed):
    path.write_bytes(gzip.compress(HEADER + body, 1) if packed else HEADER + body)
    _check(path, HEADER + body)


@SETTINGS
@given(data=st.one_of(st.binary(max_size=80), st.lists(PIECES, max_size=10).map(b"".join)))
def test_any_bytes_at_all(path, data):
    path.write_bytes(data)
    if not data.startswith(b"\x1f\x8b"):
        _check(path, data.removeprefix(b"\xef\xbb\xbf"))
    else:
        _account(path)


@SETTINGS
@given(body=st.lists(PIECES, max_size=40).map(b"".join), size=st.integers(1, 9))
def test_blocks_make_no_difference(path, body, size):
    path.write_bytes(HEADER + body)
    whole = _account(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", size)
        assert _account(path) == whole


@pytest.mark.parametrize("kind", ["csv", "gzip", "columns", "lists"])
def test_a_hundred_damaged_files(kind, tmp_path):
    outcomes = Counter()
    for seed in range(100):
        outcome, fault = judge(kind, CASES[kind](seed), tmp_path)
        assert outcome in RIGHT, f"{kind} {seed}: {fault}"
        outcomes[outcome] += 1
    assert min(outcomes[outcome] for outcome in RIGHT) > 0, outcomes


def test_a_loss_is_seen(tmp_path: Path, monkeypatch):
    """The judge that finds none would find one."""
    from mtlx.components.log_example_gen.readers.text_records import RecordSplitter

    def outcomes():
        return {judge("csv", CASES["csv"](seed), tmp_path)[0] for seed in range(200)}

    assert LOSS not in outcomes()
    monkeypatch.setattr(RecordSplitter, "_swallows", lambda *unused: False)
    assert LOSS in outcomes()


@pytest.mark.parametrize("kind", ["columns", "lists"])
@pytest.mark.parametrize("check", ["bad_weights", "other_lengths", "unequal"])
def test_a_row_that_should_not_pass_is_seen(kind, check, tmp_path, monkeypatch):
    """Values and weights that do not go together, where nobody looks."""
    from mtlx.components.log_example_gen import row_checks

    monkeypatch.setattr(row_checks, check, lambda *unused: None)
    assert any(judge(kind, CASES[kind](seed), tmp_path)[0] == LOSS for seed in range(100))
