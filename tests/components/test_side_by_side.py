"""Elements are worked on side by side, and what comes of them does not show it."""

import threading
import time

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that

from mtlx.components.side_by_side import CombineSideBySide, SideBySide
from mtlx.pipeline.process.stack import run_beam_in_process

CORES = 3


@pytest.fixture(autouse=True)
def in_process(monkeypatch):
    run_beam_in_process()
    monkeypatch.setattr("joblib.cpu_count", lambda: CORES)


class Work:
    """Takes longer for the first elements, and notes how many are at work."""

    active, most, begun = 0, 0, []
    lock = threading.Lock()

    @classmethod
    def reset(cls):
        cls.active, cls.most, cls.begun = 0, 0, []


def _work(element, factor=1, offsets=None):
    with Work.lock:
        Work.active += 1
        Work.most = max(Work.most, Work.active)
        Work.begun.append(element)
    time.sleep(0.02 if element < CORES else 0.001)
    with Work.lock:
        Work.active -= 1
    return element * factor + (offsets or {}).get(element, 0)


def _in_order(expected):
    def check(found):
        assert found == expected

    return check


def test_results_keep_their_order_and_every_core_has_work():
    Work.reset()
    with beam.Pipeline() as pipeline:
        found = (
            pipeline | beam.Create(range(20), reshuffle=False) | beam.ParDo(SideBySide(_work, 10))
        )
        assert_that(found, _in_order([10 * element for element in range(20)]))
    assert Work.most == CORES


def test_side_inputs_come_behind_the_arguments():
    with beam.Pipeline() as pipeline:
        offsets = beam.pvalue.AsDict(pipeline | "Offsets" >> beam.Create([(4, 100)]))
        found = pipeline | beam.Create(range(6)) | beam.ParDo(SideBySide(_work, 1), offsets)
        assert_that(found, _in_order([0, 1, 2, 3, 104, 5]))


def test_no_more_results_wait_than_there_are_cores():
    """An element is begun only when the one as many before it has been handed on."""
    Work.reset()
    doing = SideBySide(_work)
    doing.setup()
    doing.start_bundle()
    given = []
    for element in range(30):
        given += list(doing.process(element))
        assert element + 1 - len(given) <= CORES
    rest = [value.value for value in doing.finish_bundle()]
    doing.teardown()
    assert given + rest == list(range(30))


def test_a_worker_of_a_runner_works_on_one_at_a_time(monkeypatch):
    """Else as many workers as there are cores would have as many threads each."""
    Work.reset()
    doing = SideBySide(_work)
    monkeypatch.setattr("mtlx.components.side_by_side._PROCESS", "another")
    doing.setup()
    doing.start_bundle()
    given = [result for element in range(9) for result in doing.process(element)]
    given += [value.value for value in doing.finish_bundle()]
    doing.teardown()
    assert given == list(range(9)) and Work.most == 1


class Broken(ValueError):
    pass


def _fails(element, begun, done):
    begun.append(element)
    if element == 1:
        raise Broken("element 1 cannot be read")
    time.sleep(0.02 if element == 0 else 0.15)
    done.append(element)
    return element


def test_an_error_is_the_functions_own_and_nothing_goes_on_behind_it():
    begun, done = [], []
    doing = SideBySide(_fails, begun, done)
    doing.setup()
    doing.start_bundle()
    with pytest.raises(Broken, match="element 1 cannot be read"):
        for element in range(30):
            list(doing.process(element))
    # What was at work has ended before the error came; of the others none begins any more.
    assert len(done) > 1
    assert sorted([*done, 1]) == sorted(begun)
    time.sleep(0.2)
    assert sorted([*done, 1]) == sorted(begun)
    assert max(begun) <= CORES + 1
    doing.teardown()


def test_a_pipeline_raises_the_functions_own_error():
    with pytest.raises(Broken, match="element 1"), beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create(range(9)) | beam.ParDo(SideBySide(_fails, [], []))


class Total(beam.CombineFn):
    """A sum of floats, whose last digits tell in which order it was taken.

    As TFDV's, it must not be set up by one thread while another uses it.
    """

    is_set_up = False

    def setup(self, *unused):
        assert not self.is_set_up
        self.is_set_up = True

    def teardown(self, *unused):
        self.is_set_up = False

    def create_accumulator(self):
        return 0.0

    def add_input(self, accumulator, number):
        assert self.is_set_up
        return accumulator + number

    def merge_accumulators(self, accumulators):
        total = 0.0
        for one in accumulators:
            total += one
        return total

    def extract_output(self, accumulator):
        return accumulator


#: The longest source first, so that it is ready last.
SOURCES = [("a", [0.1, 1e16, -1e16, 0.3] * 500), ("b", [0.7]), ("a", [0.2, 1e8]), ("a", [1e-9])]


def _slowly(source):
    time.sleep(0.0001 * len(source))
    return iter(source)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_sums_do_not_depend_on_the_cores(cores, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    total = Total()
    total.setup()
    of_key = {}
    for key, numbers in SOURCES:
        of_source = 0.0
        for number in numbers:
            of_source += number
        of_key[key] = of_key.get(key, 0.0) + of_source
    with beam.Pipeline() as pipeline:
        found = (
            pipeline | beam.Create(SOURCES, reshuffle=False) | CombineSideBySide(_slowly, Total())
        )
        assert_that(found, _in_order(list(of_key.items())))
