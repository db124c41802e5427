"""The gate's verdict with its reasons, as a person and the report read it."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants

#: File in the blessing's folder.
VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class Check:
    """One threshold on one task and slice.

    Attributes:
        rule: name of the rule; for what concerns the run as a whole ``evaluation``,
            ``comparable``, ``first_run``, ``span`` or ``withdrawn``.
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
        against: the model that was compared with: ``baseline``, ``reference``, ``anchor``; None
            for a rule on the candidate alone.
        errs_by: how chance can make it err: ``passing`` what falls short, where only what is shown
            to be good enough passes, or ``blocking`` what does not, where only a proven loss
            blocks; None where no end of an interval decides.
        level: the check's own one-sided level; None where the evaluation's interval decided.
        p_value: how often chance alone would do as much; None where no end decides.
        adjusted_p_value: that among all checks that may block by chance, see `FamilyDecision`;
            None where the check decided alone.
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
    against: str | None = None
    errs_by: str | None = None
    level: float | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None


@dataclass(frozen=True)
class FamilyDecision:
    """What the checks decided together that block only what is shown to be a loss.

    Attributes:
        error_rate: so often at most, one of them blocks a candidate that falls short in none.
        checks: how many they are.
        blocking: how many of them block.
        lifted: how many would have blocked by themselves, and do not.
    """

    error_rate: float
    checks: int
    blocking: int
    lifted: int

    @property
    def words(self) -> str:
        """The decision in a sentence."""
        if not self.checks:
            return (
                f"gate.error_rate of {100 * self.error_rate:g} % had no check to hold for: none "
                "with bound: upper and without a level of its own could be decided."
            )
        checks = "1 check" if self.checks == 1 else f"{self.checks} checks"
        looks = "looks" if self.checks == 1 else "look"
        sentence = (
            f"{checks} {looks} for a proven loss, and among them chance blocks in at most "
            f"{100 * self.error_rate:g} % of runs (gate.error_rate): {self.blocking or 'none'} "
            f"{'blocks' if self.blocking == 1 else 'block'}"
        )
        if self.lifted:
            themselves = "itself" if self.lifted == 1 else "themselves"
            sentence += f", {self.lifted} more would by {themselves}"
        return sentence + "."


@dataclass(frozen=True)
class ModelLineage:
    """Which rows a model has seen, for people.

    Attributes:
        model: ``candidate``, ``baseline``, ``reference`` or ``anchor``.
        examples: which portion of the logs its examples are of.
        trained_on: rows that it was trained and selected on.
        tested_on: rows that it was tested on when it was trained.
        seen_test_rows: how many of the rows that are tested now it was trained or selected on.
        leaks: some of them were, which counts in its favour.
    """

    model: str
    examples: str
    trained_on: str
    tested_on: str
    seen_test_rows: str
    leaks: bool = False


@dataclass(frozen=True)
class Verdict:
    """The decision of one run.

    Attributes:
        blessed: whether the candidate may be pushed.
        baseline: what the candidate was compared with: ``baseline`` (the model blessed last,
            or a given one), ``reference``, or None on a first run without either.
        checks: in the order of the thresholds, then of tasks and slices.
        lineage: which rows each model has seen, the candidate first; empty where nothing is known.
        notices: sentences on what the intervals behind the checks do not know, as in
            `SliceResults`; none of them blocks.
        family: what checks decided together; None where each decided by itself.
        seeds: on how many trainings all rests, in a sentence; empty where each model is one.
    """

    blessed: bool
    baseline: str | None
    checks: list[Check]
    lineage: list[ModelLineage] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    family: FamilyDecision | None = None
    seeds: str = ""

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
        lineage = [ModelLineage(**seen) for seen in values.get("lineage", ())]
        notices = list(values.get("notices", ()))
        family = FamilyDecision(**values["family"]) if values.get("family") else None
        seeds = values.get("seeds", "")
        return cls(values["blessed"], values["baseline"], checks, lineage, notices, family, seeds)

    @classmethod
    def of_blessing(cls, uri: str) -> "Verdict":
        """Reads any blessing; of one that the stock Evaluator gave, the decision alone."""
        if tf.io.gfile.exists(os.path.join(uri, VERDICT_FILE)):
            return cls.load(uri)
        return cls(tf.io.gfile.exists(os.path.join(uri, constants.BLESSED_FILE_NAME)), None, [])
