"""Latency of exported models by items of one request, beside a plain MLP of as many operations.

    python -m benchmarks.serving_latency [--parts mmoe din dtn] [--calls 150] [--profile]

Every part of `benchmarks.step_models` that is asked for is exported with random weights, as a run
exports it, and called in a process with TensorFlow alone by each of its signatures. Beside it stand
an MLP of as many floating-point operations (two equal layers behind the same features, counted from
both graphs at 500 rows), exported in the same way, and that MLP's matrices alone, which read
numbers: what lies between these two is parsing, look-ups and TensorFlow's overhead, and no model
can do without. All are called in turn. `--profile` prints what one call of 500 items spends its
time on instead.
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
#: Words, threads within operations, threads for operations, callers at once.
MODES = (("1 thread", 1, 1, 1), ("2 threads", 2, 2, 1), ("2 callers", 1, 2, 2))


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
        requests = {items: requests_of(items, widths) for items in SIZES}
        sizes = [(items, arguments.calls // (5 if items > 1000 else 1)) for items in SIZES]
        calls = [call for model in models for call in calls_of(model)]
        found = {
            words: measured(Work(calls, requests, sizes, *threads), Path(folder.name))
            for words, *threads in MODES
        }
    print(table(models, found))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["mmoe", "din", "dtn"])
    parser.add_argument(
        "--calls", type=int, default=150, help="of each size; a fifth of the largest"
    )
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


def calls_of(model: Any) -> list[dict[str, str]]:
    """The signatures of a model and of its MLP, and the matrices alone."""
    calls = [
        {"name": f"{kind} {model.name} {signature}", "path": path, "signature": signature,
         "request": request}
        for kind, path in (("model", model.path), ("mlp", model.mlp))
        for signature, request in SIGNATURES.items()
    ]  # fmt: skip
    bare = {"signature": "serving_default", "request": f"numbers {model.width}"}
    return [*calls, {"name": f"bare {model.name}", "path": model.bare, **bare}]


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


def table(models: list[Any], found: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Markdown: a line per model, signature, size; a column of times per mode."""
    modes = list(found)
    head = ["model", "signature", "items", *(f"{mode}: p50 / p99 ms, rows/s, p99 / MLP's (/ bare)"
                                            for mode in modes)]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for model in models:
        for signature in SIGNATURES:
            for items in SIZES:
                cells = [_cell(found[mode], model, signature, items) for mode in modes]
                words = f"| `{model.name}` | `{signature}` | {items:,} |"
                lines.append(f"{words} {' | '.join(cells)} |")
    lines.append("")
    for model in models:
        flops, plain = model.flops
        lines.append(
            f"`{model.name}`: {flops / 1e6:.2f} MFLOP for a row, its MLP {plain / 1e6:.2f}, "
            f"{model.request_flops / 1e6:.2f} for an item of a request."
        )
    return "\n".join(lines)


def _cell(found: dict[str, dict[str, Any]], model: Any, signature: str, items: int) -> str:
    own, plain, bare = (
        found[name][str(items)]
        for name in (
            f"model {model.name} {signature}",
            f"mlp {model.name} {signature}",
            f"bare {model.name}",
        )
    )
    (median, high), (_, other), (_, least) = (
        np.percentile(one["milliseconds"], (50, 99)) for one in (own, plain, bare)
    )
    rate = items * len(own["milliseconds"]) / own["seconds"]
    ratios = f"{high / other:.2f} ({high / least:.1f})"
    return f"{median:.2f} / {high:.2f}, {rate:,.0f}, {ratios}"


if __name__ == "__main__":
    main()
