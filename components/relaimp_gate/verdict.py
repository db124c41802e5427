"""The gate's verdict with its reasons, as a person and the report read it."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants

#: File in the blessing's folder.
VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class Check:
    """One threshold on one task and slice.

    Attributes:
        rule: name of the rule; ``evaluation`` for what is wrong with the evaluation as a whole.
        task: the task; the threshold's own wildcard where it matched nothing.
        slice: the slice, likewise.
        passed: False holds the candidate back.
        message: what was measured and asked for, or why it could not be decided.
        value: the point estimate, None where undefined.
        lower: of its interval, None where unknown.
        upper: of its interval.
        threshold: what is asked for, in words.
        applicable: False where a comparison has nothing to compare with on a first run; such a
            check neither blocks nor lets anything pass.
    """

    rule: str
    task: str
    slice: str
    passed: bool
    message: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    threshold: str = ""
    applicable: bool = True


@dataclass(frozen=True)
class Verdict:
    """The decision of one run.

    Attributes:
        blessed: whether the candidate may be pushed.
        baseline: what the candidate was compared with: ``baseline`` (the model blessed last,
            or a given one), ``reference``, or None on a first run without either.
        checks: in the order of the thresholds, then of tasks and slices.
    """

    blessed: bool
    baseline: str | None
    checks: list[Check]

    def save(self, uri: str) -> None:
        """Writes `VERDICT_FILE` into a folder."""
        tf.io.gfile.makedirs(uri)
        with tf.io.gfile.GFile(os.path.join(uri, VERDICT_FILE), "w") as file:
            file.write(json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, uri: str) -> "Verdict":
        """Reads the verdict from the folder of a blessing.

        Raises:
            FileNotFoundError: the blessing is not one of RelaImpGate's.
        """
        path = os.path.join(uri, VERDICT_FILE)
        if not tf.io.gfile.exists(path):
            raise FileNotFoundError(f"{path} does not exist: no RelaImpGate wrote into {uri}")
        with tf.io.gfile.GFile(path) as file:
            values: dict[str, Any] = json.load(file)
        checks = [Check(**check) for check in values["checks"]]
        return cls(values["blessed"], values["baseline"], checks)

    @classmethod
    def of_blessing(cls, uri: str) -> "Verdict":
        """Reads any blessing; of one that the stock Evaluator gave, the decision alone."""
        if tf.io.gfile.exists(os.path.join(uri, VERDICT_FILE)):
            return cls.load(uri)
        return cls(tf.io.gfile.exists(os.path.join(uri, constants.BLESSED_FILE_NAME)), None, [])
