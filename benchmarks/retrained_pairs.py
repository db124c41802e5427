"""How often the gate errs by the chance of the training: A/A trials of whole retrainings.

    python -m benchmarks.retrained_pairs                       # 60 trials, a quarter of an hour
    python -m benchmarks.retrained_pairs --trials 120          # goes on where it was stopped
    python -m benchmarks.retrained_pairs --only-summary

A trial draws a training set and a test split of a planted chain of clicks and conversions, and
trains the same small network six times on these rows: three seeds of a "candidate" and three of a
"reference", which differ in nothing but the seed. RelaImp of the first pair, with the interval over
rows that a run of one training has, is held beside RelaImp of the means over the seeds, with the
interval over rows and seeds. Every trial is a line of the file given by --results, so that one that
was stopped, or asks for more trials, goes on.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from mtlx.components.relaimp_gate.family.holm import adjusted_p_values
from mtlx.components.slice_evaluation.intervals.seeds import SeedMeans
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate, relaimp
from mtlx.components.slice_evaluation.statistics.spread import Spread

TASKS = ("click", "conversion")
CONFIDENCE, ERROR_RATE = 0.95, 0.05
_OPTIONS = {"experts": 3, "expert_hidden": [16], "tower_hidden": [8]}
#: Of a trial: what makes records of two files comparable.
SETTINGS: dict[str, Any] = {
    "seeds": 3,
    # So many that the click is learnt (0.73 of 0.76 at best) and the conversion in part.
    "train_rows": 24000,
    "test_rows": 6000,
    "epochs": 10,
    "batch_size": 512,
    "learning_rate": 1e-2,
    "network": "mmoe",
    "options": _OPTIONS,
}
#: What of a spread is kept; the rest are words.
_KEPT = ("covariance", "fourth", "gap_fourth", "clusters", "effective", "pairs")


@dataclass(frozen=True)
class Scored:
    """Models of one trial and task on the test rows.

    Attributes:
        aucs: ``(M,)``, candidates before references.
        spread: of them.
    """

    aucs: np.ndarray
    spread: Spread

    def to_values(self) -> dict[str, Any]:
        """Returns what JSON can hold."""
        spread = {name: getattr(self.spread, name).tolist() for name in _KEPT}
        return {"aucs": self.aucs.tolist(), "spread": spread}

    @classmethod
    def of_values(cls, values: dict[str, Any]) -> "Scored":
        """Reads what `to_values` gave."""
        spread = {name: np.array(value) for name, value in values["spread"].items()}
        return cls(np.array(values["aucs"]), Spread(**spread))


class Records:
    """Trials in a file, a line each.

    Args:
        path: of the file, which need not exist.
        settings: of the trials; a file with others is refused.

    Raises:
        SystemExit: the file's trials were made with other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]):
        self._path, self._settings = path, settings
        self.trials: dict[int, dict[str, Scored]] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        # A line without an end was being written when the process was stopped.
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            record = json.loads(line)
            if record["settings"] != settings:
                raise SystemExit(
                    f"{path} holds trials of other settings ({record['settings']}); name another "
                    "file with --results, or delete it"
                )
            tasks = record["tasks"]
            self.trials[record["trial"]] = {t: Scored.of_values(tasks[t]) for t in tasks}

    def add(self, trial: int, tasks: dict[str, Scored]) -> None:
        """Keeps a trial, in the file too."""
        values = {name: scored.to_values() for name, scored in tasks.items()}
        record = {"trial": trial, "settings": self._settings, "tasks": values}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.trials[trial] = tasks


def go_on(
    records: Records, trials: int, score: Callable[[int], dict[str, Scored]]
) -> Iterator[int]:
    """Makes the trials that are missing, and yields the number of each one made.

    Args:
        records: of earlier ones.
        trials: so many in all.
        score: trains and scores the models of a trial, given its number.
    """
    for trial in range(trials):
        if trial not in records.trials:
            records.add(trial, score(trial))
            yield trial


def one_training(scored: Scored, seeds: int) -> Estimate:
    """RelaImp of the first candidate over the first reference, as a run of one training has it."""
    return relaimp(scored.aucs[[0, seeds]], scored.spread, seeds, CONFIDENCE)


def over_seeds(scored: Scored, seeds: int) -> Estimate:
    """RelaImp of the means over seeds, with the interval over rows and seeds."""
    spread = scored.spread
    degrees = float(spread.degrees_of_difference)
    return SeedMeans.of_models(scored.aucs, spread.covariance, seeds, degrees).relaimp(CONFIDENCE)


@dataclass(frozen=True)
class Errors:
    """Shares of trials; for all but the last two each task of a trial counts.

    Attributes:
        decided: has an interval.
        covered: of these, the interval holds 0.
        passes: ``bound: lower`` at 0 is met.
        blocks: ``bound: upper`` at 0 is not.
        any_blocks: of trials, where a task blocks.
        family_blocks: of trials, where a task blocks with `ERROR_RATE` for the family.
        width: median of the intervals, percent of RelaImp.
    """

    decided: float
    covered: float
    passes: float
    blocks: float
    any_blocks: float
    family_blocks: float
    width: float


def errors(trials: Sequence[Sequence[Estimate]]) -> Errors:
    """Counts what chance made of equal models.

    Args:
        trials: estimates of RelaImp by trial and task.
    """
    known = [[e for e in tasks if e.curve is not None] for tasks in trials]
    flat = [estimate for tasks in known for estimate in tasks]
    lower, upper = np.array([[e.lower, e.upper] for e in flat], np.float64).reshape(-1, 2).T
    family = []
    for tasks in known:
        p_values = np.array([e.curve.p_value(0.0, "upper") for e in tasks if e.curve])
        family.append(bool(len(p_values)) and adjusted_p_values(p_values).min() <= ERROR_RATE)
    asked = sum(map(len, trials))
    return Errors(
        decided=len(flat) / asked,
        covered=float(((lower <= 0) & (upper >= 0)).mean()),
        passes=float((lower >= 0).sum() / asked),
        blocks=float((upper < 0).sum() / asked),
        any_blocks=float(np.mean([any(e.upper < 0 for e in tasks) for tasks in known])),
        family_blocks=float(np.mean(family)),
        width=float(np.median(upper - lower)),
    )


def summary(records: Records, seeds: int) -> dict[str, Errors]:
    """Errors of both ways to decide, by name."""
    by_trial = [list(tasks.values()) for _, tasks in sorted(records.trials.items())]
    return {
        "one training each": errors([[one_training(s, seeds) for s in t] for t in by_trial]),
        f"{seeds} seeds each": errors([[over_seeds(s, seeds) for s in t] for t in by_trial]),
    }


def trained_scorers() -> Callable[[int], dict[str, Scored]]:
    """Trains and scores the models of a trial; the graph of a training is made once."""
    import keras

    from benchmarks.planted_tasks import Training
    from benchmarks.task_sensitive import chain
    from mtlx.trainer.model.ranking_model import RankingModel
    from mtlx.trainer.settings import ModelSettings

    planted = chain("apart", 0.3)
    inputs, models = planted.inputs, 2 * SETTINGS["seeds"]
    settings = ModelSettings(
        network=SETTINGS["network"], options=SETTINGS["options"], embedding_size=8
    )
    held: list[Training] = []

    def predicted(columns: Any, test: Any, seed: int) -> np.ndarray:
        """``(T, N)`` float32."""
        keras.utils.set_random_seed(seed)
        model = RankingModel(inputs, settings)
        if held:
            held[0].start_again(model, columns, seed)
        else:
            chosen = {name: SETTINGS[name] for name in ("batch_size", "learning_rate")}
            held.append(Training(model, inputs.tasks, columns, seed=seed, **chosen))
        held[0].epochs(SETTINGS["epochs"])
        return held[0].predict(test)["probabilities"].T

    def score(trial: int) -> dict[str, Scored]:
        columns, _ = planted.sample(SETTINGS["train_rows"], 2 * trial)
        test, _ = planted.sample(SETTINGS["test_rows"], 2 * trial + 1)
        scores = [predicted(columns, test, 1000 * trial + model) for model in range(models)]
        return scored_rows(test, np.stack(scores))

    return score


def scored_rows(test: dict[str, np.ndarray], scores: np.ndarray) -> dict[str, Scored]:
    """Both passes of the evaluation over independent rows.

    Args:
        test: labels of the tasks ``(N,)``; a conversion is defined on clicks.
        scores: ``(M, T, N)``.
    """
    from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
    from mtlx.components.slice_evaluation.slices import SliceColumn
    from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
    from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals

    labels = np.stack([test[task] == 1 for task in TASKS])
    rows = labels.shape[1]
    population = np.stack([np.ones(rows, bool), labels[0]])
    overall = [SliceColumn(np.zeros(rows, np.int64), ((),))]
    batch = EvaluationBatch(overall, labels, population, scores.astype(np.float32), None)
    totals = SliceTotals(len(scores), len(TASKS), maximum_slices=1)
    totals.add(batch)
    paired = PairedPass(totals)
    spread = paired.spread(paired.moments(batch))
    return {
        name: Scored(paired.auc[0, :, task], spread[0, task]) for task, name in enumerate(TASKS)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--results", type=Path, default=Path("var/retrained_pairs.jsonl"))
    parser.add_argument("--only-summary", action="store_true", help="of the trials made so far")
    arguments = parser.parse_args()
    records, console = Records(arguments.results, SETTINGS), Console(width=120)
    if not arguments.only_summary and arguments.trials > len(records.trials):
        started = time.monotonic()
        for trial in go_on(records, arguments.trials, trained_scorers()):
            console.print(f"trial {trial + 1}: {time.monotonic() - started:.0f} s")
    if not records.trials:
        raise SystemExit(f"{arguments.results} holds no trial yet")
    table = Table(
        "RelaImp of", "decided", "interval holds 0", "lower >= 0", "upper < 0", "one task blocks",
        f"with error_rate {ERROR_RATE}", "width",
        title=f"A/A of {len(records.trials)} retrainings, two tasks, %",
    )  # fmt: skip
    for name, found in summary(records, SETTINGS["seeds"]).items():
        shares = [100 * value for value in list(vars(found).values())[:-1]]
        table.add_row(name, *(f"{share:.1f}" for share in shares), f"{found.width:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
