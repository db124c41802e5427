"""The precision of a training: chosen once, by all workers, and kept to the end."""

from types import SimpleNamespace

import pytest

from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training import precision
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.precision import agreed_precision


def _workers(others_lack=False, is_chief=True):
    """A worker that sees the chief's values, and whether any lacks what it is asked for."""
    return SimpleNamespace(
        is_chief=is_chief,
        chiefs_value=lambda value: value,
        any_of=lambda flags: [flag or others_lack for flag in flags],
    )


@pytest.fixture
def agree(monkeypatch, tmp_path):
    """What is agreed on by a machine that is fast in the given precision."""

    def function(fast, setting="auto", workers=None):
        monkeypatch.setattr(precision, "fast_precision", lambda strategy: fast)
        settings = TrainingSettings(precision=setting)
        folder = CheckpointFolder(str(tmp_path), "digest")
        return agreed_precision(settings, folder, workers or _workers(), None)

    return function


@pytest.mark.parametrize("fast", ["bfloat16", "float32"])
def test_auto_is_what_the_machine_is_fast_in(agree, fast):
    assert agree(fast) == (fast, [])


@pytest.mark.parametrize("said", ["bfloat16", "float32"])
def test_what_is_said_is_done_on_any_machine_and_nothing_is_noted(agree, said, tmp_path):
    assert agree("bfloat16", said) == agree("float32", said) == (said, [])
    assert not list(tmp_path.iterdir())


def test_one_worker_that_is_slow_in_it_is_enough(agree):
    assert agree("bfloat16", workers=_workers(others_lack=True)) == ("float32", [])


@pytest.mark.parametrize(("began", "now"), [("bfloat16", "float32"), ("float32", "bfloat16")])
def test_a_resumed_training_goes_on_as_it_began_and_says_so(agree, began, now):
    agree(began)
    chosen, (note,) = agree(now)
    assert chosen == began
    assert note == (
        f"Went on in {began}, which the training began in; by itself this machine would have "
        f"chosen {now}."
    )
    assert agree(began) == (began, [])


def test_the_chief_alone_notes_it(agree, tmp_path):
    agree("bfloat16", workers=_workers(is_chief=False))
    assert not list(tmp_path.iterdir())
    agree("bfloat16")
    assert [path.name for path in tmp_path.glob("*/*")] == ["precision.json"]
