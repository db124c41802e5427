"""Where the time of a training step goes, by kind of operation, and what its products alone need.

    python -m benchmarks.step_profile mmoe din                # all threads of the machine
    python -m benchmarks.step_profile mmoe din --threads 1    # exact on a busy machine
    python -m benchmarks.step_profile home --operations 20    # the longest ones, by name

Models and rows are those of `benchmarks.step_time`, the step is the trainer's own on TensorFlow.
TensorFlow's profiler tells when each operation ran. An instant is divided between the operations
that run at it, so that a line adds up to the step; where a product takes all threads, it has all of
the instant. With one thread nothing has to be divided, and all seconds are those of the processor,
which other work does not lengthen (`benchmarks.thread_times`). Shares are means over the traced
steps; of steps and matmul rate the quietest counts.

`share of matmul` is that of `benchmarks.step_time`. `products alone` is the floor: what the step
would reach if all but its products cost nothing and these took as long as they do now. `idle` is
what the threads neither computed nor waited for a core that other work had; with one thread it is
left out.
"""

import argparse
import collections
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.step_kinds import CALLING, KINDS, PRODUCTS, REST, kind_of
from benchmarks.thread_times import ThreadTimes

_MARK = "step_profile_mark"


class Interval(NamedTuple):
    """A running operation: from, to, in seconds, and its name."""

    start: float
    end: float
    name: str


@dataclass(frozen=True)
class Profile:
    """What a step takes.

    Attributes:
        seconds: of the step, of the processor with one thread, else of the wall's clock.
        shares: of the step, by kind of operation, without what is between operations.
        longest: names and shares of the longest operations.
        idle: share of the threads' time.
        of_matmul: share of the matmul rate.
        of_products: the same of the products' own seconds.
    """

    seconds: float
    shares: dict[str, float]
    longest: list[tuple[str, float]]
    idle: float
    of_matmul: float
    of_products: float


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    if arguments.threads:
        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    kinds = [*KINDS, REST]
    idle = [] if arguments.threads == 1 else ["idle"]
    columns = ["part", "ms", *kinds, *idle, "share of matmul", "products alone"]
    print(_line(columns), _line(["---"] * len(columns)), sep="\n", flush=True)
    for name in arguments.members:
        found = profile(name, arguments)
        cells = [f"`{name}`", f"{1000 * found.seconds:.1f}"]
        cells += [f"{found.shares.get(kind, 0.0):.0%}" for kind in kinds]
        cells += [f"{found.idle:.0%}"] * len(idle)
        print(_line([*cells, f"{found.of_matmul:.0%}", f"{found.of_products:.0%}"]), flush=True)
        for operation, share in found.longest:
            print(f"    {share:6.1%} {operation}")


def _arguments() -> argparse.Namespace:
    from benchmarks.step_time import POLICIES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("members", nargs="+", help="networks, encoders, bottoms or arrangements")
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=5, help="steps that are traced")
    parser.add_argument("--precision", choices=list(POLICIES), default="float32")
    parser.add_argument("--threads", type=int, default=0, help="0 for all of the machine")
    parser.add_argument("--operations", type=int, default=0, help="how many of the longest to name")
    return parser.parse_args()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def profile(name: str, arguments: argparse.Namespace) -> Profile:
    """Takes some steps of a part, timed and then traced."""
    import keras

    from benchmarks.step_flops import MatmulRate
    from benchmarks.step_time import CLOCKS, POLICIES, make_step, step_seconds

    # Seconds of the processor where there is one thread: what other work takes is not the step's.
    clock = CLOCKS["processor" if arguments.threads == 1 else "wall"]
    keras.backend.clear_session()
    keras.config.set_dtype_policy(POLICIES[arguments.precision])
    try:
        step = make_step(name, arguments.batch)
        rate = MatmulRate(arguments.precision, clock)
        seconds = min(step_seconds(step.take, arguments.steps, clock, rate.measure))
        idle = 0.0 if arguments.threads == 1 else _idle(step.take, arguments.steps)
        traced = [_traced(step.take, arguments.threads) for _ in range(arguments.steps)]
        assert step.flops is not None
        flops = step.flops() / rate.best
    finally:
        keras.config.set_dtype_policy("float32")
    whole = sum(took for _, took in traced)
    by_operation: dict[str, float] = collections.defaultdict(float)
    for spent, _ in traced:
        for operation, own in spent.items():
            by_operation[operation] += own / whole
    shares: dict[str, float] = collections.defaultdict(float)
    for operation, share in by_operation.items():
        scope, _, operation = operation.rpartition(":")
        shares[kind_of(scope, operation)] += share
    # Where nothing ran: Python between the steps, the executor between operations.
    shares[REST] += 1.0 - sum(shares.values())
    longest = sorted(by_operation.items(), key=lambda item: -item[1])[: arguments.operations]
    return Profile(
        seconds, shares, longest, idle, flops / seconds, flops / (seconds * shares[PRODUCTS])
    )


def divided(intervals: Sequence[Interval]) -> list[float]:
    """Seconds of each; instants at which several run are divided between them."""
    edges = [(one.end, place, False) for place, one in enumerate(intervals)]
    edges += [(one.start, place, True) for place, one in enumerate(intervals)]
    edges.sort(key=lambda edge: edge[0])
    spent = [0.0] * len(intervals)
    running: set[int] = set()
    before = 0.0
    for moment, place, starts in edges:
        for other in running:
            spent[other] += (moment - before) / len(running)
        before = moment
        if starts:
            running.add(place)
        else:
            running.discard(place)
    return spent


def _traced(take: Callable[[], object], threads: int) -> tuple[dict[str, float], float]:
    """Seconds by name of what ran in one step, and of it; with one thread the processor's."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, ThreadTimes() as times:
        tf.profiler.experimental.start(folder)
        with tf.profiler.experimental.Trace(_MARK):
            started = time.time()
        take()
        ended = time.time()
        tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        intervals = intervals_of(path.read_bytes(), started)
    if threads == 1:
        spent = [times.between(one.start, one.end) for one in intervals]
    else:
        spent = divided(intervals)
    by_name: dict[str, float] = collections.defaultdict(float)
    for one, seconds in zip(intervals, spent, strict=True):
        by_name[one.name] += seconds
    return by_name, times.between(started, ended) if threads == 1 else ended - started


def intervals_of(serialized: bytes, marked: float) -> list[Interval]:
    """Operations, ``name:Kind``, of what TensorFlow's profiler writes.

    Args:
        serialized: see above; it holds a mark, and counts from some moment of its own.
        marked: when that was made, in seconds since 1970.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    found, mark = [], 0
    for plane in xplane_pb2.XSpace.FromString(serialized).planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                start = line.timestamp_ns * 1000 + event.offset_ps
                if name == _MARK:
                    mark = start
                scope, _, kind = name.rpartition(":")
                # Parts of the runtime are called "Class::Method".
                if scope[-1:] not in ("", ":") and kind.isidentifier() and kind not in CALLING:
                    found.append((start, start + event.duration_ps, name))
    return [
        Interval(marked + (start - mark) * 1e-12, marked + (end - mark) * 1e-12, name)
        for start, end, name in found
    ]


def _idle(take: Callable[[], object], steps: int) -> float:
    """Share of the cores' time that this process's threads neither had nor waited for."""
    import tensorflow as tf

    threads = tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
    shares = []
    for _ in range(steps):
        before, started = _scheduled(), time.perf_counter()
        take()
        span = (time.perf_counter() - started) * threads
        shares.append(1.0 - (_scheduled() - before) / span)
    return max(0.0, statistics.median(shares))


def _scheduled() -> float:
    """Seconds that threads of this process ran, or could have with a core that others had."""
    total = 0
    for thread in Path("/proc/self/task").iterdir():
        ran, waited, *_ = (thread / "schedstat").read_text(encoding="ascii").split()
        total += int(ran) + int(waited)
    return total * 1e-9


if __name__ == "__main__":
    main()
