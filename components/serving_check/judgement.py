"""What the notes of the serving process mean: findings, in words."""

import math
from typing import Any

import numpy as np

from mtlx.components.serving_check.process.serving_run import Served
from mtlx.components.serving_check.serving_outcome import Latency, ServingFinding
from mtlx.components.serving_check.settings import LatencyLimit, ServingCheckSettings
from mtlx.trainer.serving.signatures import (
    COLUMNS_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REQUEST_SIGNATURE,
)

#: Hostile requests that are told with their answers.
_TOLD = 3
_SIGNATURES = (EXAMPLES_SIGNATURE, COLUMNS_SIGNATURE)


def judge_served(
    served: Served,
    evaluated: dict[str, np.ndarray] | None,
    settings: ServingCheckSettings,
    takes_requests: bool = False,
) -> list[ServingFinding]:
    """Judges.

    Args:
        served: what the process left.
        evaluated: probabilities of the same rows by task ``(N,)``; None where the evaluation
            keeps none: then what the two signatures give is compared.
        settings: of the check.
        takes_requests: whether the contract says what a request has once, for a signature that
            takes it so.
    """
    loaded = served.last("signatures")
    findings = [_process(served, loaded)]
    if loaded is None:
        return findings
    asked = [*_SIGNATURES, REQUEST_SIGNATURE] if takes_requests else _SIGNATURES
    missing = [name for name in asked if name not in loaded["signatures"]]
    if missing:
        told = f"the model has no signature {' and no '.join(missing)}"
        has = ", ".join(loaded["signatures"]) or "none"
        return [*findings, ServingFinding("signature", False, f"{told}; it has: {has}")]
    source = "what was evaluated"
    if evaluated is None:
        first = served.last("scores", signature=EXAMPLES_SIGNATURE)
        evaluated = _arrays(first["scores"][0]) if first else {}
        source = f"what {EXAMPLES_SIGNATURE} gives at once (the evaluation keeps no predictions)"
    findings += [
        _predictions(served, name, evaluated, settings.tolerance, source) for name in _SIGNATURES
    ]
    if takes_requests:
        findings.append(_of_requests(served, settings.tolerance))
    findings += _latency(served, settings.latency)
    return [*findings, _requests(served)]


def latencies_of(served: Served) -> list[Latency]:
    """The last measurement, by rows; empty where it came to none."""
    entry = served.last("latency")
    found = []
    for rows, models in (entry["latency"] if entry else {}).items():
        before = models.get("served", {})
        found.append(
            Latency(int(rows), **models["candidate"], **{f"served_{k}": before[k] for k in before})
        )
    return found


def _process(served: Served, loaded: dict[str, Any] | None) -> ServingFinding:
    problem = served.last("problem")
    if problem is not None:
        message = f"TensorFlow alone cannot load the model: {problem['problem']}"
        return ServingFinding("process", False, message)
    if served.ended is not None:
        return ServingFinding("process", False, f"serving the model, {served.ended}")
    if loaded is None:
        return ServingFinding("process", False, "the process ended without a word")
    if loaded["python_operations"]:
        message = (
            f"the model calls Python ({', '.join(loaded['python_operations'])}), which no server "
            "has: write it with TensorFlow's operations"
        )
        return ServingFinding("process", False, message)
    message = f"a process with TensorFlow alone loads the model, in {loaded['load_seconds']:.1f} s"
    return ServingFinding("process", True, message)


def _predictions(
    served: Served, name: str, evaluated: dict[str, np.ndarray], tolerance: float, source: str
) -> ServingFinding:
    """Whether a signature gives what was evaluated: at once, row by row, and after all else."""

    def finding(passed: bool, message: str) -> ServingFinding:
        return ServingFinding("predictions", passed, f"{name} {message}")

    refused = served.last("refused", signature=name)
    if refused is not None:
        return finding(False, f"refuses rows that were evaluated: {refused['refused']}")
    entry = served.last("scores", signature=name)
    if entry is None:
        return finding(False, "was not asked, since the process came to no such step")
    at_once, *alone = entry["scores"]
    rows = len(next(iter(evaluated.values()), ()))
    asked = [("", slice(0, rows), at_once)]
    asked += [(" asked alone", slice(row, row + 1), one) for row, one in enumerate(alone)]
    again = served.last("again", signature=name)
    if again is not None:
        asked.append((" after the hostile requests", slice(0, rows), again["again"]))
    largest = 0.0
    for how, place, scores in asked:
        problem, difference = _difference(scores, evaluated, place, tolerance, source)
        if problem:
            return finding(False, f"{problem}{how}")
        largest = max(largest, difference)
    return finding(True, f"gives for {rows} rows {source} (largest difference {largest:.1g})")


def _of_requests(served: Served, tolerance: float) -> ServingFinding:
    """Whether what is said once counts for each item as if it were said with it."""
    refused = served.last("refused", signature=REQUEST_SIGNATURE)
    asked = [entry for entry in served.all("expected") if "scores" in entry]
    problem, largest = None, 0.0
    if refused is not None:
        problem = f"refuses the request of a row that was evaluated: {refused['refused']}"
    elif not asked:
        problem = "was not asked, since the process came to no such step"
    source = f"what {COLUMNS_SIGNATURE} gives"
    for entry in [] if problem else asked:
        expected = _arrays(entry["expected"])
        rows = slice(0, len(next(iter(expected.values()), ())))
        problem, apart = _difference(entry["scores"], expected, rows, tolerance, source)
        if problem:
            break
        largest = max(largest, apart)
    if problem:
        return ServingFinding("predictions", False, f"{REQUEST_SIGNATURE} {problem}")
    message = (
        f"{REQUEST_SIGNATURE} gives for the items of all rows, beside the request of "
        f"{len(asked)} of them, {source} (largest difference {largest:.1g})"
    )
    return ServingFinding("predictions", True, message)


def _difference(
    scores: dict[str, list[float]],
    evaluated: dict[str, np.ndarray],
    place: slice,
    tolerance: float,
    source: str,
) -> tuple[str | None, float]:
    """What is wrong with the scores of some rows, or None; and the largest difference."""
    largest = 0.0
    for task, expected in evaluated.items():
        wanted = expected[place].astype(np.float64)
        if task not in scores:
            return f"does not serve task {task}; it serves {', '.join(sorted(scores))}", math.inf
        found = np.array(scores[task], np.float64)
        if found.shape != wanted.shape:
            return f"gives {found.size} probabilities of {task} for {wanted.size} rows", math.inf
        apart = np.abs(found - wanted)
        # NaN is no prediction, whatever was evaluated; numbers above 1 are rounded by their size.
        wrong = ~(apart <= tolerance * np.maximum(np.abs(wanted), 1.0))
        if wrong.any():
            row = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
            return (
                f"differs from {source} in {int(wrong.sum())} of {wanted.size} rows by "
                f"more than {tolerance:g}: {task} of row {place.start + row} is {found[row]:.6g}, "
                f"and was {wanted[row]:.6g}",
                math.inf,
            )
        largest = max(largest, float(apart.max(initial=0.0)))
    return None, largest


def _arrays(scores: dict[str, list[float]]) -> dict[str, np.ndarray]:
    return {task: np.array(values, np.float64) for task, values in scores.items()}


def _latency(served: Served, limits: list[LatencyLimit]) -> list[ServingFinding]:
    """A finding per limit."""
    entry = served.last("limits")
    findings = []
    for place, limit in enumerate(limits):
        measured = entry["limits"][place] if entry else None
        what = f"{limit.quantile} of {limit.rows} rows"
        if entry is None:
            findings.append(
                ServingFinding("latency", False, f"{what} was not measured, and has a limit")
            )
        elif measured is None:
            findings.append(_without_served(served, what))
        elif limit.milliseconds is not None:
            message = f"{what} is {measured:.3g} ms; allowed are {limit.milliseconds:g} ms"
            findings.append(ServingFinding("latency", measured <= limit.milliseconds, message))
        else:
            message = (
                f"{what} takes {measured:.3g} times what the served model takes; allowed are "
                f"{limit.ratio:g} times"
            )
            findings.append(ServingFinding("latency", measured <= float(limit.ratio or 0), message))
    return findings


def _without_served(served: Served, what: str) -> ServingFinding:
    """A ratio with nothing to compare with: undecidable where there is a served model."""
    problem = served.last("served_problem")
    if problem is None:
        message = f"{what} has nothing to be compared with: no model is served yet"
        return ServingFinding("latency", True, message)
    message = (
        f"{what} cannot be compared with the served model, which cannot be asked: "
        f"{problem['served_problem']}"
    )
    return ServingFinding("latency", False, message)


def _requests(served: Served) -> ServingFinding:
    """Whether every hostile request was refused, or answered with numbers."""
    sent = served.all("hostile")
    bad = [entry for entry in sent if entry["outcome"] not in ("answered", "refused")]
    if bad:
        told = "; ".join(
            f"{entry['signature']}, sent {entry['hostile']}: {entry['outcome']} ({entry['text']})"
            for entry in bad[:_TOLD]
        )
        more = f", and {len(bad) - _TOLD} more" if len(bad) > _TOLD else ""
        message = f"{len(bad)} of {len(sent)} hostile requests are answered wrongly: {told}{more}"
        return ServingFinding("requests", False, message)
    if not sent:
        return ServingFinding("requests", False, "no hostile request was sent")
    answered = sum(entry["outcome"] == "answered" for entry in sent)
    message = (
        f"{len(sent)} hostile requests: {answered} answered with numbers, "
        f"{len(sent) - answered} refused, and the process lives"
    )
    return ServingFinding("requests", served.ended is None, message)
