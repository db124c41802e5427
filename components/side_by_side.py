"""Beam's elements side by side in threads: all cores of a machine, where its runner uses one.

Beam's DirectRunner handles one element after the other. Its own ways to use more cores cost more
than they bring on one machine: processes import TensorFlow anew at every stage, and its threads
hand results on in the order in which they happen to be ready, so that sums differ from run to run.
What the work here spends its time in (decompression, parsing, encoding, TensorFlow) does not hold
Python's lock.
"""

import copy
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.typehints.decorators import IOTypeHints

#: Another one in every process that imports this.
_PROCESS = uuid.uuid4().hex


def usable_cores() -> int:
    """Cores that this process may use, by its affinity and by the limit of its container."""
    import joblib  # A tenth of a second, which a start need not wait for.

    return joblib.cpu_count()


class SideBySide(beam.DoFn):
    """Applies a function to each element; gives the results in the elements' order.

    At most as many elements are worked on as the process may use cores, and as many results wait
    to be handed on, so that memory does not grow with the number of elements. After an error no
    further element is begun, and what others are at is awaited before the error is raised: nothing
    is written behind the back of whoever cleans up.

    On a runner that has workers of its own, who share elements out, each works on one at a time.

    Args:
        function: of an element; may be called by several threads at once.
        arguments: behind the element; side inputs are given to `beam.ParDo` instead.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._function, self._arguments = function, arguments
        self._made_in = _PROCESS
        self._threads: ThreadPoolExecutor
        self._begun: deque[Future[Any]]

    def default_type_hints(self) -> IOTypeHints:
        """None: what goes in and out is the function's."""
        return IOTypeHints.empty()

    def setup(self) -> None:
        """See `beam.DoFn`."""
        self._limit = usable_cores() if self._made_in == _PROCESS else 1
        self._threads = ThreadPoolExecutor(self._limit)

    def start_bundle(self) -> None:
        """See `beam.DoFn`."""
        self._begun = deque()

    def process(self, element: Any, *sides: Any) -> Iterator[Any]:
        """Begins an element; gives results of earlier ones."""
        call = (self._function, element, *self._arguments, *sides)
        self._begun.append(self._threads.submit(*call))
        while len(self._begun) > self._limit:
            yield self._next()

    def finish_bundle(self) -> Iterator[Any]:
        """Gives the results that are left."""
        while self._begun:
            yield GlobalWindows.windowed_value(self._next())

    def teardown(self) -> None:
        """See `beam.DoFn`."""
        self._threads.shutdown()

    def _next(self) -> Any:
        try:
            return self._begun.popleft().result()
        except Exception:
            self._cancel()
            wait(self._begun)
            raise
        except BaseException:  # A signal, which does not wait.
            self._cancel()
            raise

    def _cancel(self) -> None:
        for future in self._begun:
            future.cancel()


class CombineSideBySide(beam.PTransform):
    """``(key, source)`` to one ``(key, output)`` per key, by a `beam.CombineFn` over the sources.

    Each source is added up by itself, and the sums in the sources' order, so that the result does
    not depend on how many cores there are.

    Args:
        read: a source to the combine's inputs; may be called by several threads at once.
        combine: not yet set up.
    """

    def __init__(self, read: Callable[[Any], Iterable[Any]], combine: beam.CombineFn) -> None:
        super().__init__()
        self._read, self._combine = read, combine

    def expand(self, sources: beam.PCollection) -> beam.PCollection:
        """A map in threads, and a combine of what it gives."""
        return (
            sources
            | "AddUpSources" >> beam.ParDo(SideBySide(_added_up, self._read, self._combine))
            | "AddUp" >> beam.CombinePerKey(_Sums(self._combine))
        )


def _added_up(
    item: tuple[Any, Any], read: Callable[[Any], Iterable[Any]], combine: beam.CombineFn
) -> tuple[Any, Any]:
    key, source = item
    # Another thread sets up and uses its own.
    combine = copy.deepcopy(combine)
    combine.setup()
    accumulator = combine.create_accumulator()
    for value in read(source):
        accumulator = combine.add_input(accumulator, value)
    found = combine.compact(accumulator)
    combine.teardown()
    return key, found


class _Sums(beam.CombineFn):
    """A combine whose inputs are another's accumulators."""

    def __init__(self, combine: beam.CombineFn) -> None:
        self._combine = combine

    def setup(self, *arguments: Any, **named: Any) -> None:
        self._combine.setup(*arguments, **named)

    def create_accumulator(self) -> Any:
        return self._combine.create_accumulator()

    def add_input(self, accumulator: Any, found: Any) -> Any:
        return self._combine.merge_accumulators([accumulator, found])

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        return self._combine.merge_accumulators(accumulators)

    def compact(self, accumulator: Any) -> Any:
        return self._combine.compact(accumulator)

    def extract_output(self, accumulator: Any) -> Any:
        return self._combine.extract_output(accumulator)

    def teardown(self, *arguments: Any, **named: Any) -> None:
        self._combine.teardown(*arguments, **named)
