import inspect

import apache_beam as beam
import pytest
from apache_beam.transforms import core

from mtlx.pipeline.process.beam_signatures import remember_signatures, remembering


class _Add(beam.DoFn):
    def __init__(self, what):
        self.what = what

    def process(self, element, times=2, side=beam.DoFn.SideInputParam):
        yield element + times * self.what


def _first_free(letter):
    return letter


@pytest.fixture
def asked():
    return []


def test_a_method_is_asked_for_once_for_all_objects_of_a_class(asked):
    def get_signature(called):
        asked.append(called)
        return inspect.signature(called)

    remembered = remembering(get_signature)
    for one in (_Add(1).process, _Add(2).process, _Add(1).process):
        assert list(remembered(one).parameters) == ["element", "times", "side"]
    assert len(asked) == 1
    # Of the class itself it is another one, and a function is not kept.
    assert list(remembered(_Add.process).parameters)[0] == "self"
    for _ in range(2):
        assert list(remembered(_first_free).parameters) == ["letter"]
    assert len(asked) == 4


def test_beam_finds_the_same(monkeypatch):
    monkeypatch.setattr(core, "get_signature", core.get_signature)
    before = core.get_function_arguments(_Add(1), "process")
    remember_signatures()
    patched = core.get_signature
    remember_signatures()
    assert core.get_signature is patched
    for one in (_Add(1), _Add(2)):
        assert core.get_function_arguments(one, "process") == before
