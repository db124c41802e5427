"""Latency of exported models by items of one request, beside a plain MLP of as many operations.

    python -m benchmarks.serving_latency [--parts mmoe din dtn] [--calls 150] [--profile]

Every part of `benchmarks.step_models` that is asked for is exported with random weights, as a run
exports it, and called in a process with TensorFlow alone by its signatures. Beside it stand an MLP
of as many floating-point operations (two equal layers behind the same features, counted from both
graphs at 500 rows; one of its own beside `serving_request` where the model needs fewer operations
for a request's items), exported in the same way, and that MLP's matrices alone, which read numbers:
what lies between these two is parsing, look-ups and TensorFlow's overhead, and no model can do
without. All are called in turn. `--profile` prints what one call of 500 items spends its time on
instead.
"""

import argparse
import dataclasses
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SIGNATURES = {
    "serving_default": "examples",
    "serving_columns": "columns",
    "serving_request": "request",
}
SIZES = (1, 100, 500, 5000)
#: Sizes above this one are called seldom: a call takes up to a second.
LARGE, LARGE_SHARE = 1000, 30
#: Threads within operations, threads for operations, callers at once.
MODES = {"1 thread": (1, 1, 1), "2 threads": (2, 2, 1), "2 callers": (1, 2, 2)}


@dataclasses.dataclass(frozen=True)
class Work:
    """What the process is to call.

    Attributes:
        calls: by "name", "path" of the model, "signature" and kind of "request".
        requests: by number of items and kind, arrays by name.
        sizes: numbers of items, and how often each is called.
        intra: TensorFlow's threads within an operation.
        inter: its threads for operations beside each other.
        callers: Python's threads that call at once.
    """

    calls: list[dict[str, str]]
    requests: dict[int, dict[str, dict[str, np.ndarray]]]
    sizes: list[tuple[int, int]]
    intra: int
    inter: int
    callers: int


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    from benchmarks.serving_models import export_all

    folder, models = export_all(arguments.parts)
    with folder:
        if arguments.profile:
            from benchmarks.serving_profile import print_profiles

            print_profiles(models)
            return
        widths = sorted({model.width for model in models})
        requests = {items: requests_of(items, widths) for items in arguments.items}
        sizes = [
            (items, arguments.calls // (LARGE_SHARE if items > LARGE else 1))
            for items in arguments.items
        ]
        calls = [call for model in models for call in calls_of(model, arguments.signatures)]
        found = {
            words: measured(Work(calls, requests, sizes, *MODES[words]), Path(folder.name))
            for words in arguments.modes
        }
    print(table(models, arguments.signatures, arguments.items, found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["mmoe", "din", "dtn"])
    parser.add_argument(
        "--calls",
        type=int,
        default=150,
        help=f"of each size, and one for {LARGE_SHARE} of them above {LARGE:,} items",
    )
    parser.add_argument("--items", nargs="+", type=int, default=SIZES, help="of a request")
    parser.add_argument(
        "--signatures",
        nargs="+",
        choices=SIGNATURES,
        default=["serving_default", "serving_request"],
    )
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["1 thread", "2 threads"])
    parser.add_argument("--profile", action="store_true", help="say what calls spend time on")
    return parser.parse_args()


def requests_of(items: int, widths: list[int]) -> dict[str, dict[str, np.ndarray]]:
    """One request in the form of every signature, and numbers for matrices alone."""
    from benchmarks.serving_models import examples_of, request_of, whole_rows

    once, own = request_of(items)
    rows = whole_rows(once, own)
    numbers = np.random.default_rng(0).normal(size=(items, max(widths))).astype("float32")
    return {
        "examples": {"examples": np.array(examples_of(rows), object)},
        "columns": rows,
        "request": {**own, **once},
        **{f"numbers {width}": {"numbers": numbers[:, :width]} for width in widths},
    }


def calls_of(model: Any, signatures: list[str]) -> list[dict[str, str]]:
    """Signatures of a model and of the MLPs beside them, and the matrices alone."""
    calls = [
        {"name": f"{kind} {model.name} {signature}", "path": path, "signature": signature,
         "request": SIGNATURES[signature]}
        for signature in signatures
        for kind, path in (("model", model.path), ("mlp", mlp_of(model, signature)))
    ]  # fmt: skip
    bare = {"signature": "serving_default", "request": f"numbers {model.width}"}
    return [*calls, {"name": f"bare {model.name}", "path": model.bare, **bare}]


def mlp_of(model: Any, signature: str) -> str:
    """Folder of the MLP that stands beside a signature."""
    found: str = model.request_mlp if signature == "serving_request" else model.mlp
    return found


def measured(work: Work, folder: Path) -> dict[str, dict[str, Any]]:
    """Calls in a process of its own, by name and number of items."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        paths = [str(Path(place, name)) for name in ("work.pickle", "found.json")]
        with open(paths[0], "wb") as file:
            pickle.dump(dataclasses.asdict(work), file)
        script = str(Path(__file__).with_name("serving_calls.py"))
        subprocess.run([sys.executable, script, *paths], check=True)
        found: dict[str, dict[str, Any]] = json.loads(Path(paths[1]).read_text(encoding="utf-8"))
        return found


def table(
    models: list[Any],
    signatures: list[str],
    sizes: list[int],
    found: dict[str, dict[str, dict[str, Any]]],
) -> str:
    """Markdown: a line per model, signature, size; columns of times for each mode."""
    head = ["model", "signature", "items"]
    for mode in found:
        head += [
            f"{mode}: p50 / p99, ms",
            "MLP's",
            "p99 / MLP's p99",
            "rows/s",
            "matrices alone, ms",
        ]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for model in models:
        for signature in signatures:
            for items in sizes:
                cells = [f"`{model.name}`", f"`{signature}`", f"{items:,}"]
                for mode in found.values():
                    cells += _cells(mode, model, signature, items)
                lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for model in models:
        (flops, mlp), (once, smaller) = model.flops, model.request_flops
        lines.append(
            f"`{model.name}`: {flops / 1e6:.2f} MFLOP for a row and {once / 1e6:.2f} for a "
            f"request's item, its MLPs {mlp / 1e6:.2f} and {smaller / 1e6:.2f}."
        )
    return "\n".join(lines)


def _cells(found: dict[str, dict[str, Any]], model: Any, signature: str, items: int) -> list[str]:
    own, mlp, bare = (
        found[f"{kind} {model.name}{of}"][str(items)]
        for kind, of in (("model", f" {signature}"), ("mlp", f" {signature}"), ("bare", ""))
    )
    times = [np.percentile(one["milliseconds"], (50, 99)) for one in (own, mlp, bare)]
    words = [f"{median:.2f} / {high:.2f}" for median, high in times]
    rate = items * len(own["milliseconds"]) / own["seconds"]
    return [words[0], words[1], f"{times[0][1] / times[1][1]:.2f}", f"{rate:,.0f}", words[2]]


if __name__ == "__main__":
    main()
