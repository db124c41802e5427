"""Times calls of SavedModels in a process of its own; needs nothing but TensorFlow and NumPy.

    python benchmarks/serving_calls.py WORK FOUND

WORK is a pickle of `benchmarks.serving_latency.Work` as a mapping, FOUND the JSON file to write:
milliseconds of every call and seconds of all, by name of the call and number of items.
"""

import gc
import json
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

#: Calls that are not timed, before those that are, or half as many as these.
#: Calls behind each other, before another's turn.
FIRST, BLOCK = 5, 5


def main(work_path: str, found_path: str) -> None:
    with open(work_path, "rb") as file:
        work = pickle.load(file)
    tf.config.threading.set_intra_op_parallelism_threads(work["intra"])
    tf.config.threading.set_inter_op_parallelism_threads(work["inter"])
    models = {path: tf.saved_model.load(path) for path in {c["path"] for c in work["calls"]}}
    found: dict[str, dict[str, Any]] = {call["name"]: {} for call in work["calls"]}
    with ThreadPoolExecutor(work["callers"]) as pool:
        for items, calls in work["sizes"]:
            requests = {
                kind: {name: _tensor(values) for name, values in inputs.items()}
                for kind, inputs in work["requests"][items].items()
            }
            _measure(work, models, requests, items, calls, pool, found)
    with open(found_path, "w", encoding="utf-8") as file:
        json.dump(found, file)


def _measure(
    work: dict[str, Any],
    models: dict[str, Any],
    requests: dict[str, dict[str, tf.Tensor]],
    items: int,
    calls: int,
    pool: ThreadPoolExecutor,
    found: dict[str, dict[str, Any]],
) -> None:
    """All calls of one size in turn, a few of each."""
    timed = []
    for call in work["calls"]:
        signature = models[call["path"]].signatures[call["signature"]]
        timed.append((call["name"], signature, requests[call["request"]]))
        for _ in range(max(1, min(FIRST, calls // 2))):
            signature(**timed[-1][2])
        found[call["name"]][str(items)] = {"milliseconds": [], "seconds": 0.0}
    gc.collect()
    gc.disable()
    for turn in range(max(1, calls // BLOCK)):
        # Whoever comes first in a turn comes last in the next.
        for name, signature, inputs in timed[:: 1 if turn % 2 else -1]:
            place = found[name][str(items)]
            started = time.perf_counter()
            blocks = [pool.submit(_block, signature, inputs) for _ in range(work["callers"])]
            for block in blocks:
                place["milliseconds"] += block.result()
            place["seconds"] += time.perf_counter() - started
    gc.enable()


def _block(signature: Any, inputs: dict[str, tf.Tensor]) -> list[float]:
    times = []
    for _ in range(BLOCK):
        started = time.perf_counter()
        for values in signature(**inputs).values():
            values.numpy()
        times.append(1e3 * (time.perf_counter() - started))
    return times


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values, tf.string if values.dtype == object else values.dtype)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
