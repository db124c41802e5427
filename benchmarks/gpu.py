"""Training steps on a GPU: speed in two precisions, share of its matmul rate, the same curve.

    KERAS_BACKEND=jax python -m benchmarks.gpu --minutes 8 --out gpu_results
    KERAS_BACKEND=jax python -m benchmarks.gpu --small --out gpu_results    # anywhere

Needs Keras, JAX, pydantic and PyYAML, no TensorFlow. The members of `benchmarks.step_models` are
built and traced in processes of their own, compiled for the card many at once, and timed one after
the other while nothing else uses it. What no longer fits into the minutes is named. Adam, rows on
the card before the clock starts; a step's share counts its matrix products alone, against the rate
of products of the same precision in the same run.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path

import keras

from benchmarks.gpu_report import Results
from benchmarks.gpu_steps import (
    POLICIES,
    Compiled,
    Job,
    Prepared,
    compile_step,
    matmul_rates,
    prepare,
    reads_sequences,
    rounds_float32,
    rows,
    seconds_of,
    table_step,
)
from benchmarks.step_models import Batch, member_names

#: What to measure first, should the minutes end early.
FIRST = ("mmoe", "shared_bottom", "ple", "din", "dtn", "m3oe", "esmm", "aitm", "star", "tim")
#: The most rows of a batch with sequences, whose activations are a hundred times as large.
MOST_WITH_SEQUENCES = 8192
#: Jobs that are compiled together, before any of them is timed.
WAVE = 16
#: What this process may use, and no more than help.
CORES = min(16, len(os.sched_getaffinity(0)))
#: Seconds that are kept for the end.
RESERVE = 10.0


class Budget:
    """The minutes that the whole may take, from the start of this object on."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes - RESERVE

    def left(self) -> float:
        """Seconds, none below 0."""
        return max(0.0, self._end - time.monotonic())


def main() -> None:
    arguments = _arguments()
    if keras.backend.backend() != "jax":
        sys.exit("benchmarks.gpu measures Keras on JAX: run it with KERAS_BACKEND=jax")
    budget = Budget(arguments.minutes)
    # Tables of 10^8 rows need most of the card.
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.92")
    import jax

    device = jax.devices()[0]
    # Read by the processes that build models, which are to leave the card alone; this one has it.
    os.environ["JAX_PLATFORMS"] = "cpu"
    platform = "cuda" if device.platform == "gpu" else device.platform
    results = Results(arguments.out, device.device_kind, os.environ.get("XLA_FLAGS", ""))
    jobs = ordered_jobs(arguments.members or member_names(), tuple(arguments.batch))
    with _preparers(arguments.workers) as preparing, ThreadPoolExecutor(CORES) as pool:
        waiting = [(job, preparing.submit(prepare, job, platform)) for job in jobs]
        _rates(results, arguments.small)
        if arguments.curve_steps:
            _curves(results, device, arguments.curve_batch, arguments.curve_steps, budget)
        first, rest = waiting[: arguments.first], waiting[arguments.first :]
        _members(first, pool, results, arguments.steps, budget)
        _tables(results, arguments, budget)
        _members(rest, pool, results, arguments.steps, budget)
        results.finish()
        print(results.markdown(), flush=True)
        # Compilations that came too late can't be ended in any other way.
        _leave(preparing)


def ordered_jobs(names: list[str], batches: tuple[int, ...]) -> list[Job]:
    """Jobs in the order of their importance, both precisions of a member beside each other."""
    first = [name for name in FIRST if name in names]
    jobs = []
    for name in [*first, *(name for name in names if name not in FIRST)]:
        sizes = batches
        if reads_sequences(name):
            sizes = tuple(size for size in batches if size <= MOST_WITH_SEQUENCES)
        jobs += [Job(name, precision, sizes) for precision in POLICIES if sizes]
    return jobs


def waves(
    waiting: list, budget: Budget, size: int = WAVE, per_job: float | None = None
) -> Iterator[list]:
    """Parts of a list of jobs, each as large as what went before says that the seconds allow.

    Ends early when they allow none.
    """
    rest = list(waiting)
    while rest:
        fits = size if per_job is None else int(budget.left() / per_job)
        count = min(size, fits, len(rest))
        if count < 1 or not budget.left():
            return
        wave, rest = rest[:count], rest[count:]
        started = time.monotonic()
        yield wave
        per_job = (time.monotonic() - started) / count


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("members", nargs="*", help="networks or encoders; all by default")
    parser.add_argument("--minutes", type=float, default=8.0, help="what the whole may take")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--batch", type=int, nargs="+", default=[8192, 65536])
    parser.add_argument("--steps", type=int, default=50, help="the most steps of one timing")
    parser.add_argument("--tables", type=int, nargs="*", default=[10**n for n in range(5, 9)])
    parser.add_argument("--curve-steps", type=int, default=50, help="0: no curve")
    parser.add_argument("--curve-batch", type=int, default=2048)
    parser.add_argument("--first", type=int, default=8, help="jobs before the table sizes")
    parser.add_argument(
        "--workers",
        type=int,
        default=max(1, CORES - 2),
        help="processes that build models; 0: this one does",
    )
    parser.add_argument("--small", action="store_true", help="batch 256, 3 steps, small tables")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.batch, arguments.steps, arguments.tables = [256], 3, [1000, 10000]
        arguments.curve_steps, arguments.curve_batch = 3, 256
    return arguments


def _preparers(workers: int) -> ProcessPoolExecutor | ThreadPoolExecutor:
    """Where models are built; one thread of this process where no other is wanted."""
    if not workers:
        return ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context)


def _rates(results: Results, small: bool) -> None:
    results.rates = matmul_rates((256,) if small else (4096, 8192))
    results.float32_error = rounds_float32()
    for name, rate in results.rates.items():
        print(f"matmul {name}: {rate / 1e12:,.1f} TFLOP/s", flush=True)
    print(f"float32 products are off by {results.float32_error:.1e}: {results.tf32}", flush=True)


def _curves(results: Results, device: object, size: int, steps: int, budget: Budget) -> None:
    from benchmarks.gpu_curve import curves

    try:
        results.curves = curves(device, size, steps)
    except Exception as error:  # noqa: BLE001  # the speeds are worth measuring all the same
        results.skipped.append(f"the curve ({reason(error)})")
        print("no curve:", reason(error), flush=True)
    else:
        print(*results.curve_lines(), f"{budget.left():.0f} s left", sep="\n", flush=True)
    results.write()


def _members(
    waiting: list, pool: ThreadPoolExecutor, results: Results, steps: int, budget: Budget
) -> None:
    """Compiles and times jobs, wave by wave; writes after each."""
    done = 0
    placed: dict[tuple[bool, int], Batch] = {}
    for wave in waves(waiting, budget, per_job=results.seconds_per_job):
        started = time.monotonic()
        cells = {
            pool.submit(_compiled, prepared, size, placed): (job, size, prepared)
            for job, prepared in wave
            for size in job.batches
        }
        wait(cells, timeout=budget.left())
        for future, (job, size, prepared) in cells.items():
            row = {"member": job.member, "precision": job.precision, "batch": size}
            if not future.done() or not budget.left():
                row["error"] = "not done in time"
            else:
                row.update(_timed(future, prepared.result(), size, placed, steps))
            results.add(row)
            print(results.line(row), f"({budget.left():.0f} s left)", flush=True)
        done += len(wave)
        results.seconds_per_job = (time.monotonic() - started) / len(wave)
        results.write()
    for job, _ in waiting[done:]:
        results.skipped.append(f"{job.member} {job.precision}")
    if waiting[done:]:
        print("no time for", ", ".join(results.skipped), flush=True)


def _compiled(
    prepared: "Future[Prepared]", size: int, placed: dict[tuple[bool, int], Batch]
) -> Compiled:
    """Waits for the trace, then compiles it; raises what went wrong there."""
    import jax

    ready = prepared.result()
    if ready.error:
        raise RuntimeError(ready.error)
    key = reads_sequences(ready.job.member), size
    if key not in placed:
        placed[key] = jax.device_put(rows(ready.job.member, size))
    assert ready.steps is not None
    return compile_step(ready.steps[size], ready.state, placed[key])


def _timed(
    future: "Future[Compiled]", prepared: Prepared, size: int, placed: dict, steps: int
) -> dict[str, object]:
    """A cell's numbers, or its error: that of one member stops no other."""
    try:
        compiled = future.result()
        key = reads_sequences(prepared.job.member), size
        seconds, loss = seconds_of(compiled, prepared.state, placed[key], steps)
    except Exception as error:  # noqa: BLE001  # a cell of the table
        return {"error": reason(error)}
    assert prepared.flops is not None
    return {
        "parameters": prepared.parameters,
        "prepare_s": prepared.seconds,
        "compile_s": compiled.seconds,
        "step_ms": 1000 * seconds,
        "examples_per_s": size / seconds,
        "matmul_flops": prepared.flops[size],
        "xla_flops": compiled.xla_flops,
        "scratch_mib": compiled.scratch_mib,
        "loss": loss,
    }


def reason(error: Exception) -> str:
    """An error in the few words of a cell."""
    text = str(error)
    if "RESOURCE_EXHAUSTED" in text or "out of memory" in text.lower():
        return "out of memory"
    return f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"[:200]


def _tables(results: Results, arguments: argparse.Namespace, budget: Budget) -> None:
    size = min(arguments.batch)
    for table_rows in arguments.tables:
        row: dict[str, object] = {"rows": table_rows}
        if budget.left() < 20:
            row["error"] = "not done in time"
        else:
            try:
                row = dict(table_step(table_rows, size, arguments.steps))
            except Exception as error:  # noqa: BLE001  # a cell of the table
                row["error"] = reason(error)
        results.tables.append(row)
        print("table", row, f"({budget.left():.0f} s left)", flush=True)
    results.write()


def _leave(preparing: ProcessPoolExecutor | ThreadPoolExecutor) -> None:
    preparing.shutdown(wait=False, cancel_futures=True)
    for process in multiprocessing.active_children():
        process.terminate()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
