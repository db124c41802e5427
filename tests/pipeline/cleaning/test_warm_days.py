"""Days that go on from each other, cleaned every day: what stays of those long gone."""

import dataclasses
import os
import types

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils

from mtlx.components.relaimp_gate.driver import Driver
from mtlx.components.relaimp_gate.lineage import lineage
from mtlx.components.relaimp_gate.seen.seen_by_models import SEEN_BY, SeenBy
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.pipeline.cleaning.clean import clean
from tests.pipeline.past import Past

STATES = metadata_store_pb2.Artifact
DAYS, KEEP, WINDOW = 32, 3, 5


class _Kept:
    """A store that is asked as an open connection."""

    def __init__(self, store):
        self.store = store

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def _next_day(past, run):
    """The day after the last one, which begins with its model; cleaned by `run`."""
    base = past.made.runs[-1] if past.made.runs else None
    past.made.run(len(past.made.runs) + 1, base=base)
    if run:
        return clean(past.place, KEEP, KEEP, False)
    return None


def _with_window(past):
    data = types.SimpleNamespace(window=types.SimpleNamespace(train=WINDOW - 1, test=1))
    experiment = past.place.experiment.model_copy(update={"data": data})
    past.place = dataclasses.replace(past.place, experiment=experiment)
    return past


def _artifact(past, run, name):
    (proto,) = past.made.store.get_artifacts_by_id([run.artifacts[name].id])
    (kind,) = past.made.store.get_artifact_types_by_id([proto.type_id])
    return artifact_utils.deserialize_artifact(kind, proto)


def _what_the_gate_says(past):
    """Of the newest run, as its driver and its executor find it."""
    run, before = past.made.runs[-1], past.made.runs[-2]
    examples = [_artifact(past, run, "examples")]
    served = [_artifact(past, before, "model")]
    inputs = {
        "model": [_artifact(past, run, "model")], "examples": examples, "test_examples": examples,
        "baseline_model": served, "served_model": served,
    }  # fmt: skip
    told = types.SimpleNamespace(input_dict=inputs, exec_properties={})
    text = Driver(_Kept(past.made.store)).run(told).exec_properties[SEEN_BY].string_value
    seen = SeenBy(text)
    today = SeenExamples.load_all(examples, examples)
    found = lineage(today, {"baseline": seen.of("baseline")}, seen.of("served"))
    return text.replace(str(past.made.root), "ROOT"), found


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The same days, cleaned every day and never."""
    cleaned, whole = (_with_window(Past(tmp_path_factory.mktemp(name))) for name in "ab")
    files = []
    for _ in range(DAYS):
        _next_day(cleaned, True)
        _next_day(whole, False)
        files.append(sum(len(names) for _, _, names in os.walk(cleaned.place.artifacts)))
    return cleaned, whole, files


def test_rows_of_days_outside_all_windows_are_gone_and_their_summaries_stay(two):
    cleaned, _, _ = two
    folders = [run.uri("examples") for run in cleaned.made.runs]
    assert [sorted(os.listdir(folder)) for folder in folders] == [
        *[["ingestion"]] * (DAYS - WINDOW),
        *[["Split-train", "ingestion"]] * WINDOW,
    ]
    found = cleaned.place.store().get_artifacts_by_id(
        [run.artifacts["examples"].id for run in cleaned.made.runs]
    )
    # Neither TFX's cache nor a resolver takes what is not live.
    states = {one.id: one.state for one in found}
    assert list(states.values()) == [
        *[STATES.DELETED] * (DAYS - WINDOW),
        *[STATES.LIVE] * WINDOW,
    ]


def test_a_day_adds_its_summary_and_nothing_else(two):
    _, _, files = two
    assert {after - before for before, after in zip(files[9:], files[10:], strict=False)} == {1}


def test_the_gate_says_the_same_as_without_cleaning(two):
    cleaned, whole, _ = two
    assert _what_the_gate_says(cleaned) == _what_the_gate_says(whole)
    text, found = _what_the_gate_says(cleaned)
    assert found.models[1].examples.startswith(f"trained on spans 1 to {DAYS - 1}, tested on")
    assert (
        found.models[1].trained_on == f"{80 * (DAYS - 1):,} train, {10 * (DAYS - 1):,} validation"
    )
    assert len(text) < 40 * DAYS  # there is one such text in every run's metadata


def test_a_row_that_an_early_model_has_seen_still_counts(two):
    """The newest day tests on what the first day trained on."""
    for past in two[:2]:
        first = _artifact(past, past.made.runs[0], "examples")
        newest = _artifact(past, past.made.runs[-1], "model")
        told = types.SimpleNamespace(
            input_dict={
                "model": [newest], "examples": [first], "test_examples": [first],
                "baseline_model": [newest],
            },
            exec_properties={},
        )  # fmt: skip
        text = Driver(_Kept(past.made.store)).run(told).exec_properties[SEEN_BY].string_value
        seen = SeenBy(text).of("baseline")
        assert seen.files["/logs/1.csv"].trained == 90
        (record,) = lineage(SeenExamples.load_all([first], [first]), {"b": seen}, None).models[1:]
        assert record.leaks


def test_killed_between_two_folders_of_one_day_the_next_cleaning_goes_on(tmp_path, monkeypatch):
    past = _with_window(Past(tmp_path))
    for _ in range(WINDOW + 1):
        _next_day(past, False)
    first = past.made.runs[0]
    for name in ("a", "b"):
        folder = first.uri("examples") / f"Split-{name}"
        folder.mkdir()
        (folder / "data").write_bytes(b"rows")

    class Killed(BaseException):
        pass

    rename = os.rename

    def dying(source, target):
        if str(source).endswith("Split-b"):
            raise Killed
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", dying)
        with pytest.raises(Killed):
            clean(past.place, 1, None, False)
    assert sorted(os.listdir(first.uri("examples"))) == ["Split-b", "Split-train", "ingestion"]
    (found,) = past.place.store().get_artifacts_by_id([first.artifacts["examples"].id])
    assert found.state == STATES.MARKED_FOR_DELETION
    said = _what_the_gate_says(past)
    clean(past.place, 1, None, False)
    assert os.listdir(first.uri("examples")) == ["ingestion"]
    (found,) = past.place.store().get_artifacts_by_id([first.artifacts["examples"].id])
    assert found.state == STATES.DELETED and _what_the_gate_says(past) == said
    assert clean(past.place, 1, None, False).removals == []


def test_what_nobody_is_compared_with_any_more_loses_its_summary_too(tmp_path):
    past = _with_window(Past(tmp_path))
    for _ in range(WINDOW + 1):
        _next_day(past, True)
    # From random weights again, and on: what the first chain has seen says nothing of these.
    for span in range(WINDOW + 2, 2 * WINDOW + 4):
        past.made.run(span, base=past.made.runs[-1] if span > WINDOW + 2 else None)
        clean(past.place, KEEP, KEEP, False)
    assert [run.uri("examples").exists() for run in past.made.runs] == [
        *[False] * (WINDOW + 1), *[True] * (WINDOW + 2)
    ]  # fmt: skip
