"""What drawing a tenth of the negatives saves, and whether anything is lost by it.

    python -m benchmarks.sampled_negatives

Planted clicks at a rate of 2 %, a purchase on clicked rows and a like on all. One model is
trained on all rows, two others of the same kind on those that `sampling: {task: click,
negatives: 0.1}` keeps, with `correction: weights` and with `correction: logit`, for the same number
of passes, in turns. The last pass is at a tenth of
the learning rate; the first one, in which the graph is traced, is not timed. Both are measured on
the same held-out rows: AUC and its paired difference with a 95 % interval (DeLong et al. 1988),
and mean prediction over mean label with an interval.
"""

import argparse
import dataclasses
import statistics
import time

import keras
import numpy as np

from benchmarks.planted_tasks import Columns, Training
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("buy", "buy", "click", "click"),
    TaskSpec("like", "like"),
)
ITEMS = 200
#: Of the negatives that are drawn.
SHARE = 0.1
INPUTS = ModelInputs(
    (CategoricalInput("item", ITEMS),), (NumericInput("x"), NumericInput("y")), (), None, ("all",),
    TASKS,
)  # fmt: skip
MODEL = ModelSettings(
    network="shared_bottom", options={"bottom_hidden": [64], "tower_hidden": [32]}, embedding_size=8
)


def planted(rows: int, seed: int) -> Columns:
    """Rows of which 2 % are clicked."""
    random = np.random.default_rng(seed)
    liking = np.random.default_rng(0).normal(size=ITEMS)
    item, (x, y) = random.integers(0, ITEMS, rows), random.normal(size=(2, rows))
    click = random.random(rows) < _sigmoid(0.8 * x + 0.8 * liking[item] - 4.5)
    labels = {
        "click": click,
        "buy": click & (random.random(rows) < _sigmoid(1.5 * y)),
        "like": random.random(rows) < _sigmoid(y + 0.5 * liking[item] - 2),
    }
    columns = {"item": item, "x": x.astype("float32"), "y": y.astype("float32")}
    return columns | {name: label.astype("int64") for name, label in labels.items()}


def drawn(columns: Columns, share: float, seed: int) -> Columns:
    """A share of the negatives, with what each row that is kept counts for."""
    negative = columns["click"] == 0
    kept = ~negative | (np.random.default_rng(seed).random(len(negative)) < share)
    weights = np.where(negative, 1 / share, 1.0).astype("float32")
    ones = np.ones_like(weights)
    columns = columns | {ROW_WEIGHT: ones, DRAWN_WEIGHT: weights}
    return {name: values[kept] for name, values in columns.items()}


def started(columns: Columns, correction: str = "weights", seed: int = 1) -> Training:
    """A training that has taken no step."""
    keras.utils.set_random_seed(seed)
    click, *others = TASKS
    if correction == "logit":
        click = dataclasses.replace(click, kept_negatives=SHARE)
    inputs = dataclasses.replace(INPUTS, tasks=(click, *others))
    model = RankingModel(inputs, MODEL)
    return Training(model, inputs.tasks, columns, seed=seed, learning_rate=0.003)


def placements(label: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's placement values of positives and of negatives."""
    ups, downs = np.sort(scores[label == 1]), np.sort(scores[label == 0])

    def share_below(values: np.ndarray, among: np.ndarray) -> np.ndarray:
        sides = [np.searchsorted(among, values, side) for side in ("left", "right")]
        return (sides[0] + sides[1]) / 2 / len(among)

    return share_below(scores[label == 1], downs), 1 - share_below(scores[label == 0], ups)


def main() -> None:
    """Trains, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    columns, held_out = planted(options.rows, 10 * options.seed), planted(300_000, 2)
    few = drawn(columns, SHARE, 2 + options.seed)
    few_rows, seconds = len(few["x"]), {"all": [], "weights": [], "logit": []}
    predictions = {}
    for _ in range(options.turns):
        for name, rows in (("all", columns), ("weights", few), ("logit", few)):
            training = started(rows, name, options.seed)
            training.epochs(1)  # In which the graph is traced.
            begun = time.monotonic()
            training.epochs(options.epochs - 2)
            training.step.optimizer.learning_rate = 0.0003
            training.epochs(1)
            seconds[name].append(time.monotonic() - begun)
            predictions[name] = training.predict(held_out)["probabilities"].astype("float64")
    rate = columns["click"].mean()
    print(
        f"click rate {rate:.2%}; {options.rows:,} rows, {few_rows:,} drawn; {options.epochs} epochs"
    )
    for name, times in seconds.items():
        print(f"{name}: {', '.join(f'{one:.1f}' for one in times)} s")
    times = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"time of all over that of the drawn: {times['all'] / times['weights']:.1f}")
    for place, task in enumerate(TASKS):
        rows = held_out["click"] == 1 if task.population else slice(None)
        label, found = held_out[task.name][rows], {}
        for name in predictions:
            scores = predictions[name][rows, place]
            error = 1.96 * np.sqrt(np.sum((scores - label) ** 2)) / label.sum()
            print(
                f"{task.name}, {name}: calibration {scores.sum() / label.sum():.3f} ± {error:.3f}"
            )
            found[name] = placements(label, scores)
        for name in ("weights", "logit"):
            change = [few_ - all_ for few_, all_ in zip(found[name], found["all"], strict=True)]
            error = 1.96 * np.sqrt(sum(np.var(part) / len(part) for part in change))
            print(
                f"{task.name}, {name}: AUC {found[name][0].mean():.4f}, of all rows "
                f"{found['all'][0].mean():.4f}, difference {change[0].mean():+.4f} ± {error:.4f}"
            )


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


if __name__ == "__main__":
    main()
