"""Serves a SavedModel with TensorFlow and NumPy alone, and notes down what became of it.

``serving_process.py WORK JOURNAL``: WORK is a pickle of `Work` as a mapping
(`mtlx.components.serving_check.process.serving_run`), JOURNAL a file that gets a line of JSON
before and after each step, so that it is known at which one a process ended that cannot say it
any more. Run by `isolated_python`; it stands alone.
"""

import gc
import json
import math
import os
import pickle
import resource
import sys
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

EXAMPLES, COLUMNS, REQUEST = "serving_default", "serving_columns", "serving_request"
#: Rows that are asked for once more, each alone.
ALONE = 10
#: Rows whose request is asked for beside the items of all rows.
REQUESTS = 3
#: Measurements at most, until all limits hold.
ROUNDS = 3
#: Calls that are not timed, before those that are.
FIRST_CALLS = 3
#: Operations that call Python, which no server has.
PYTHON_OPERATIONS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


class Journal:
    """Lines of JSON, each written as a whole.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        self._file = open(path, "a", encoding="utf-8")

    def begin(self, step: str) -> None:
        """Says what comes next."""
        self.write(begin=step)

    def write(self, **values: Any) -> None:
        """Adds a line."""
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()


def main(work_path: str, journal_path: str) -> None:
    """Does the work."""
    # It was off while modules were imported (`isolation`); these stay.
    gc.freeze()
    gc.enable()
    # A model that brings the process down needs to leave no copy of its memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with open(work_path, "rb") as file:
        work = pickle.load(file)
    journal = Journal(journal_path)
    journal.begin("the model is loaded")
    started = time.perf_counter()
    try:
        model = tf.saved_model.load(work["model"])
    except Exception as error:
        journal.write(problem=_words(error))
        return
    journal.write(
        signatures=sorted(model.signatures),
        load_seconds=time.perf_counter() - started,
        python_operations=sorted(_operations(model) & PYTHON_OPERATIONS),
    )
    asked = {EXAMPLES, COLUMNS, REQUEST} if work["request"] else {EXAMPLES, COLUMNS}
    if not asked <= set(model.signatures):
        return
    # Beside the model's first calls, at which TensorFlow works without Python.
    served = ThreadPoolExecutor(1).submit(_served, work)
    rows = _rows(work)
    for name, requests in rows.items():
        journal.begin(f"{name} scores real rows")
        try:
            scores = [_scores(model.signatures[name], request) for request in requests]
        except Exception as error:
            journal.write(signature=name, refused=_words(error))
            return
        journal.write(signature=name, scores=scores)
    if work["request"] and not _score_requests(work, model, journal):
        return
    _measure(work, model, served, journal)
    for title, name, inputs in work["hostile"]:
        journal.begin(f"{name} is sent {title}")
        once = work["request"] if name == REQUEST else ()
        word, text = _outcome(model.signatures[name], inputs, once)
        journal.write(hostile=title, signature=name, outcome=word, text=text)
    for name, requests in rows.items():
        journal.begin(f"{name} scores real rows once more")
        journal.write(signature=name, again=_scores(model.signatures[name], requests[0]))
    journal.write(done=True)


def _end_with(parent: int) -> None:
    """Ends this process once its parent has."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _operations(model: Any) -> set[str]:
    """Names of all operations behind a model's signatures, their functions included."""
    found: set[str] = set()
    for signature in model.signatures.values():
        graph = signature.graph.as_graph_def()
        found |= {node.op for node in graph.node}
        for function in graph.library.function:
            found |= {node.op for node in function.node_def}
    return found


def _rows(work: dict[str, Any]) -> dict[str, list[dict[str, tf.Tensor]]]:
    """Requests by signature: all rows at once, then some of them alone."""
    examples, columns = work["examples"], work["columns"]
    slices = [slice(None), *(slice(row, row + 1) for row in range(min(ALONE, len(examples))))]
    return {
        EXAMPLES: [{"examples": tf.constant(examples[one], tf.string)} for one in slices],
        COLUMNS: [
            {name: _tensor(values[one]) for name, values in columns.items()} for one in slices
        ],
    }


def _score_requests(work: dict[str, Any], model: Any, journal: Journal) -> bool:
    """Scores all items beside the request of some rows, and the same rows as columns.

    Returns:
        Whether it was answered.
    """
    columns = {name: _tensor(values) for name, values in work["columns"].items()}
    rows = len(work["examples"])
    for row in range(min(REQUESTS, rows)):
        journal.begin(f"{REQUEST} scores the items of all rows for row {row}")
        once = {name: columns[name][row : row + 1] for name in work["request"]}
        whole = {name: tf.repeat(values, rows, axis=0) for name, values in once.items()}
        try:
            found = _scores(model.signatures[REQUEST], {**columns, **once})
            expected = _scores(model.signatures[COLUMNS], {**columns, **whole})
        except Exception as error:
            journal.write(signature=REQUEST, refused=_words(error))
            return False
        journal.write(signature=REQUEST, scores=found, expected=expected)
    return True


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values, tf.string if values.dtype == object else values.dtype)


def _scores(signature: Any, inputs: dict[str, tf.Tensor]) -> dict[str, list[float]]:
    """By task."""
    return {task: values.numpy().ravel().tolist() for task, values in signature(**inputs).items()}


def _served(work: dict[str, Any]) -> Any:
    """The served model's signature, after a first call; None without such a model."""
    if not work["served"]:
        return None
    served = tf.saved_model.load(work["served"]).signatures[EXAMPLES]
    served(examples=tf.constant(work["examples"], tf.string))
    return served


def _measure(work: dict[str, Any], model: Any, served: "Future[Any]", journal: Journal) -> None:
    """Latency of the model, call by call in turn with the one that is served now."""
    signatures = {"candidate": model.signatures[EXAMPLES]}
    if work["served"]:
        journal.begin("the served model is loaded")
        try:
            signatures["served"] = served.result()
        except Exception as error:
            journal.write(served_problem=_words(error))
    least = [math.inf] * len(work["limits"])
    for number in range(1, ROUNDS + 1):
        journal.begin("latency is measured")
        found = {rows: _times(work, signatures, rows) for rows in work["rows"]}
        journal.write(latency=found, round=number)
        for place, limit in enumerate(work["limits"]):
            least[place] = min(least[place], _value(limit, found))
        if all(
            low <= (limit["ratio"] or limit["milliseconds"]) or low == math.inf
            for low, limit in zip(least, work["limits"], strict=True)
        ):
            break
    journal.write(limits=[None if low == math.inf else low for low in least])


def _times(
    work: dict[str, Any], signatures: dict[str, Any], rows: int
) -> dict[str, dict[str, float]]:
    """``p50`` and ``p99`` in milliseconds by model, of requests of as many rows."""
    examples = work["examples"]
    batch = tf.constant((examples * (rows // len(examples) + 1))[:rows], tf.string)
    for signature in signatures.values():
        for _ in range(FIRST_CALLS):
            signature(examples=batch)
    times: dict[str, list[float]] = {name: [] for name in signatures}
    gc.collect()
    gc.disable()
    try:
        for call in range(work["calls"]):
            # In turn, so that what the machine does besides hits both; neither is always first.
            for name in sorted(signatures, reverse=bool(call % 2)):
                started = time.perf_counter()
                signatures[name](examples=batch)
                times[name].append(1e3 * (time.perf_counter() - started))
    finally:
        gc.enable()
    return {
        name: dict(zip(("p50", "p99"), np.percentile(found, [50, 99]).tolist(), strict=True))
        for name, found in times.items()
    }


def _value(limit: dict[str, Any], found: dict[int, dict[str, dict[str, float]]]) -> float:
    """What a limit is about; infinity where there is no served model to compare with."""
    models = found[limit["rows"]]
    value = models["candidate"][limit["quantile"]]
    if limit["ratio"] is None:
        return value
    return value / models["served"][limit["quantile"]] if "served" in models else math.inf


def _outcome(
    signature: Any, inputs: dict[str, np.ndarray], once: Collection[str]
) -> tuple[str, str]:
    """What became of a hostile request: ``answered``, ``refused``, or what should not be.

    Args:
        signature: that it is sent to.
        inputs: by name.
        once: of these, what is said once for all rows.
    """
    try:
        tensors = {name: _tensor(values) for name, values in inputs.items()}
        own = [values.shape[0] for name, values in tensors.items() if name not in once]
        rows = min(own, default=0)
        outputs = signature(**tensors)
    except Exception as error:
        return "refused", _words(error)
    for task, values in outputs.items():
        if values.shape != (rows,):
            return "wrong shape", f"{task}: {tuple(values.shape)} for {rows} rows"
        if not bool(tf.reduce_all(tf.math.is_finite(values))):
            return "no number", f"{task}: not every row has a finite prediction"
    return "answered", f"{rows} rows"


def _words(error: Exception) -> str:
    """The line of an error that says what is wrong; TensorFlow has it at the end."""
    text = getattr(error, "message", None) or str(error)
    skipped = ("Graph execution error", "Detected at", "File ", "[[", "[Op:", "Node:")
    lines = [line.strip() for line in str(text).splitlines()]
    told = [line for line in lines if line and not line.startswith(skipped)]
    return (told[-1] if told else type(error).__name__).split(" [[")[0][:500]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    # Whatever native libraries would do at the end of a process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
