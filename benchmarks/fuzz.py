"""Reads thousands of damaged files and tells what became of them, as a Markdown table.

    python -m benchmarks.fuzz                                # 24,000 cases
    python -m benchmarks.fuzz --kinds csv gzip --cases 500   # of each kind
    python -m benchmarks.fuzz --kinds parquet --seed 1234    # one case, with its traceback

Every case is drawn from its kind and seed alone. Cases run in a process of their own, which has
so much time and memory for each; one that ends it or that does not end is counted, and the next
case goes on in a new process. Right outcomes are: refused with a message that names the file;
accepted; some rows malformed and counted. In columns of the newer kinds (several values, vectors,
weights, conditions; CSV is `columns`, Parquet `lists`) every row is held against what has to become
of it besides. Anything else is listed with seeds to see it again, and makes the exit code 1.
"""

import argparse
import multiprocessing
import multiprocessing.connection
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzz_cases import CASES
from benchmarks.fuzz_judges import CRASH, HANG, JUDGES, RIGHT, WRONG, judge

#: Cases by kind, 24,000 in all.
DEFAULT_CASES = {
    "csv": 8_000,
    "gzip": 4_000,
    "parquet": 4_000,
    "yaml": 4_000,
    "columns": 2_000,
    "lists": 2_000,
}

#: Seeds that are named of every fault.
_NAMED_SEEDS = 3


def main() -> int:
    arguments = _arguments()
    if arguments.seed is not None:
        return _show(arguments.kinds[0], arguments.seed)
    kinds = arguments.kinds or list(CASES)
    found, faults = {}, []
    for kind in kinds:
        cases = arguments.cases or DEFAULT_CASES[kind]
        outcomes, by_fault = Counter(), defaultdict(list)
        for seed, outcome, fault in run(kind, cases, arguments.seconds, arguments.mebibytes):
            outcomes[outcome] += 1
            if outcome in WRONG:
                by_fault[f"{outcome}: {fault}"].append(seed)
        found[kind] = outcomes
        faults += [(kind, fault, seeds) for fault, seeds in by_fault.items()]
        print(f"{kind}: {dict(outcomes)}", file=sys.stderr, flush=True)
    print(table(found))
    for kind, fault, seeds in sorted(faults, key=lambda entry: -len(entry[2])):
        named = ", ".join(map(str, seeds[:_NAMED_SEEDS]))
        print(f"- {kind}, {len(seeds)} times (seeds {named}): {fault}")
    return int(bool(faults))


def run(kind: str, cases: int, seconds: float, mebibytes: int) -> Iterator[tuple[int, str, str]]:
    """Runs cases in processes with limits.

    Args:
        kind: of `CASES`.
        cases: how many, with seeds from 0.
        seconds: a case may take; it is a hang then.
        mebibytes: of address space that a process may have.

    Yields:
        Seed, outcome and what was wrong.
    """
    context = multiprocessing.get_context("spawn")
    seed = 0
    while seed < cases:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(kind, seed, cases, mebibytes, sender))
        process.start()
        sender.close()
        for result in _results(process, receiver, seconds):
            yield (seed, *result)
            seed += 1
        process.join()


def _results(
    process: multiprocessing.Process,
    receiver: multiprocessing.connection.Connection,
    seconds: float,
) -> Iterator[tuple[str, str]]:
    """Outcomes of one process, the last one told by how it ended, where it did not finish."""
    limit = seconds + 60  # The first message comes when everything is imported.
    while True:
        if not receiver.poll(limit):
            process.kill()
            yield HANG, f"no answer in {seconds:g} s"
            return
        try:
            result = receiver.recv()
        except EOFError:
            process.join()
            number = -(process.exitcode or 0)
            yield CRASH, signal.Signals(number).name if number > 0 else f"exit {-number}"
            return
        if result is None:
            return
        limit = seconds
        if result != "ready":
            yield result


def _work(
    kind: str,
    first: int,
    last: int,
    mebibytes: int,
    sender: multiprocessing.connection.Connection,
) -> None:
    """Judges cases, in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        # The first case is judged twice: importing takes seconds and is no case's own.
        judge(kind, CASES[kind](0), Path(folder))
        sender.send("ready")
        for seed in range(first, last):
            sender.send(judge(kind, CASES[kind](seed), Path(folder)))
    sender.send(None)


def table(found: dict[str, Counter]) -> str:
    """Outcomes by kind, in Markdown."""
    outcomes = [*RIGHT, *WRONG]
    lines = ["| input | cases | " + " | ".join(outcomes) + " |", "|---" * (2 + len(outcomes)) + "|"]
    for kind, counts in found.items():
        cells = [kind, *(f"{n:,}" for n in (counts.total(), *(counts[name] for name in outcomes)))]
        lines.append("| " + " | ".join(cells) + " |")
    total = sum(found.values(), Counter())
    cells = ["all", *(f"{n:,}" for n in (total.total(), *(total[name] for name in outcomes)))]
    return "\n".join([*lines, "| " + " | ".join(cells) + " |"])


def _show(kind: str, seed: int) -> int:
    """Judges one case in this process, and shows its traceback."""
    with tempfile.TemporaryDirectory() as folder:
        case = CASES[kind](seed)
        path = Path(folder, case.name)
        path.write_bytes(case.data)
        try:
            print(*JUDGES[kind](case, path), sep=": ")
        except Exception:
            traceback.print_exc()
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", choices=list(CASES))
    parser.add_argument("--cases", type=int, help="of each kind; default 24,000 in all")
    parser.add_argument("--seconds", type=float, default=20.0, help="a case may take")
    parser.add_argument("--mebibytes", type=int, default=4096, help="a process may have")
    parser.add_argument("--seed", type=int, help="show one case of one kind")
    arguments = parser.parse_args()
    if arguments.seed is not None and len(arguments.kinds or ()) != 1:
        parser.error("--seed needs one of --kinds")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
