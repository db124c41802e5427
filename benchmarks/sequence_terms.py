"""How much behaviour sequences decide on simulated logs, and who learns it from how many rows.

    python -m benchmarks.sequence_terms terms       # what the simulator knows; a minute
    python -m benchmarks.sequence_terms models      # goes on where the last call stopped

The simulator's log odds have four terms that hang on what a user did before. ``terms`` says what
they are worth: the AUC of who knows the log odds but for these terms, of which he knows what other
columns tell, or what the shares, or the numbers, of the sequences' behaviours in the target's
category tell. What is told is learnt by boosted trees from the training days' rows.

``models`` trains presets on the log's labels (``log``), and on purchases alone (``purchase``) that
are drawn on every row from their true probability given a cart; so many rows train, and the terms
weigh what they do, or four times that. A model with "terms" in its name is given the four terms as
numbers, as a perfect encoder would; others start from larger embeddings, or have another rate. All
cells take half an hour of processor time; `--labels`, `--models` and `--seeds` choose.

AUCs are expected ones: all rows of the test days count as often as they are in the task's
population, and are positive as often as the true probability says, so that the chance of the labels
drawn there is none. The epoch is each task's best by the same measure on the users held out.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

from benchmarks.simulated_rows import TERMS, SimulatedRows, read_simulated  # noqa: E402
from mtlx.pipeline.simulation.settings import TASKS, SimulationSettings  # noqa: E402

FOLDER = Path("var/benchmarks/sequence_terms")
ROWS = 160_000
FIRST_TEST_DAY = 6
_EVERY_ROW = 100_000


@dataclass(frozen=True)
class Model:
    """What is trained.

    Attributes:
        preset: its name.
        changes: settings of the model that are others than the preset's.
        terms: whether it is given the terms.
        rate: of Adam.
        start: standard deviation of the embeddings at the start, None for the model's own 0.01.
    """

    preset: str
    changes: dict[str, Any] = field(default_factory=dict)
    terms: bool = False
    rate: float = 1e-3
    start: float | None = None


#: By name. DIN's preset reads the clicks alone, of which purchases do not hang.
MODELS = {
    "mmoe": Model("mmoe"),
    "mmoe, terms": Model("mmoe", terms=True),
    "mmoe, rate 0.004": Model("mmoe", rate=4e-3),
    "mmoe, start 0.25": Model("mmoe", start=0.25),
    "mmoe, terms, start 0.25": Model("mmoe", terms=True, start=0.25),
    "din": Model("din", {"sequence_options": {}}),
    "dtrn": Model("dtrn"),
    "dtrn_qkv": Model("dtrn_qkv"),
    "dtrn_qkv, rate 0.004": Model("dtrn_qkv", rate=4e-3),
    "dtrn_qkv, start 0.25": Model("dtrn_qkv", start=0.25),
}
#: As many rows as a log has carts.
FEW = "purchase, 3,000"
#: By name: how many rows' purchases train, and by what the terms are multiplied; None for the
#: log's own labels.
LABELS: dict[str, tuple[int, float] | None] = {
    "log": None,
    FEW: (3_000, 1.0),
    "purchase, all": (_EVERY_ROW, 1.0),
    "purchase, terms x 4": (_EVERY_ROW, 4.0),
}
#: How often a training is judged, and the passes before each time; as few rows as a log's carts
#: need more of them.
ROUNDS = {"log": (2, 1), FEW: (6, 3), "purchase, all": (4, 1)}
ROUNDS["purchase, terms x 4"] = ROUNDS["purchase, all"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("terms", "models"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--labels", nargs="+", choices=LABELS, default=list(LABELS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    from mtlx.pipeline.simulation.simulator import simulate

    logs = FOLDER / f"logs-{ROWS}"
    simulate(SimulationSettings(rows=ROWS), logs)
    rows = read_simulated(logs)
    if arguments.part == "terms":
        print("\n".join(_terms(rows)))
        return
    store = FOLDER / "sequence_terms.jsonl"
    _train_all(rows, store, arguments)
    print("\n".join(_table(store, rows)))


def expected_auc(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """AUC of rows that are positive with a probability each; ties count half.

    Args:
        scores: ``(n,)``.
        truth: ``(n,)``, probabilities of a positive label.
        weights: ``(n,)``, how often a row is there at all.
    """
    _, places = np.unique(scores, return_inverse=True)
    positive = np.bincount(places, weights * truth)
    negative = np.bincount(places, weights * (1.0 - truth))
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / (positive.sum() * negative.sum()))


def _terms(rows: SimulatedRows) -> list[str]:
    """A Markdown table: what the terms are to each task, and to purchases on all rows."""
    head = ["task", "training rows", "positive", "deviation of the log odds", "of the terms"]
    head += ["best possible AUC", *_told(rows)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    every, train = np.ones(len(rows.truth)), rows.raw["day"].to_numpy() < FIRST_TEST_DAY
    for place, task in enumerate(TASKS):
        population = train & (place == 0 or rows.columns[TASKS[place - 1]] == 1)
        cells = [task, f"{population.sum():,}", f"{rows.columns[task][population].sum():,}"]
        lines.append(_line(cells, rows, place, rows.reached[:, place]))
    for name, (_, factor) in ((name, one) for name, one in LABELS.items() if one):
        if name != FEW:
            given = rows.with_terms(factor)
            cells = [name, f"{train.sum():,}", f"{given.truth[train, -1].sum():,.0f}"]
            lines.append(_line(cells, given, len(TASKS) - 1, every))
    return lines


def _line(cells: list[str], rows: SimulatedRows, place: int, weights: np.ndarray) -> str:
    """A task's line: what the log odds and the terms are, and the AUCs of who knows how much."""
    test = rows.raw["day"].to_numpy() >= FIRST_TEST_DAY
    truth, log_odds = rows.truth[:, place], rows.log_odds[:, place]
    added = rows.of_terms[:, :, place].sum(axis=1)
    cells = [*cells, *(f"{_deviation(v[test], weights[test]):.2f}" for v in (log_odds, added))]
    cells.append(f"{expected_auc(truth[test], truth[test], weights[test]):.4f}")
    rest = log_odds - added
    for known in _told(rows).values():
        found = _learnt(np.column_stack([known, rest]), added, weights, ~test)
        cells.append(f"{expected_auc((rest + found)[test], truth[test], weights[test]):.4f}")
    return f"| {' | '.join(cells)} |"


def _told(rows: SimulatedRows) -> dict[str, np.ndarray]:
    """What of the histories somebody knows, by how the table calls it, ``(n, m)`` each."""
    columns = [rows.columns[name] for name in ("domain_id", "age", "gender", "city", "segment")]
    columns += [rows.columns[name] for name in ("activity", "category", "brand", "popularity")]
    columns += [rows.columns[name] for name in ("rating", "price", "discount", "position")]
    others = np.stack(columns, axis=1).astype(np.float64)
    shares = rows.matches / np.maximum(rows.lengths, 1)
    counts = np.hstack([rows.matches, rows.lengths])
    return {
        "no sequence": others,
        "shares of the category": np.hstack([others, shares]),
        "numbers of the category": np.hstack([others, counts]),
        "numbers, and the brand": np.hstack([others, counts, rows.terms[:, 3:]]),
    }


def _learnt(
    known: np.ndarray, added: np.ndarray, weights: np.ndarray, train: np.ndarray
) -> np.ndarray:
    """What the terms add, as far as it follows from what is known."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(random_state=1)
    trees.fit(known[train], added[train], sample_weight=weights[train])
    return trees.predict(known)


def _deviation(values: np.ndarray, weights: np.ndarray) -> float:
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def _train_all(rows: SimulatedRows, store: Path, arguments: argparse.Namespace) -> None:
    done = {(line["labels"], line["model"], line["seed"]) for line in _lines(store)}
    wanted = [
        (labels, model, seed)
        for seed in arguments.seeds
        for labels in arguments.labels
        for model in arguments.models
    ]
    for labels, model, seed in wanted:
        if (labels, model, seed) in done:
            continue
        found = {"labels": labels, "model": model, "seed": seed}
        found |= _train(_given(rows, labels, model), labels, model, seed)
        with store.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        print(found, flush=True)


def _given(rows: SimulatedRows, labels: str, model: str) -> SimulatedRows:
    """The rows with the labels and the features that this training has."""
    from mtlx.transform.contract.model_inputs import TaskSpec

    setting = LABELS[labels]
    if setting is not None:
        rows = rows.with_terms(setting[1])
        drawn = np.random.default_rng(1).random(len(rows.truth)) < rows.truth[:, -1]
        rows = rows.with_tasks([TaskSpec(TASKS[-1], "drawn")], drawn=drawn)
    if MODELS[model].terms:
        rows = rows.with_numbers(**dict(zip(TERMS, rows.terms.T, strict=True)))
    return rows


def _split(rows: SimulatedRows, labels: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the rows that train, validate (of a tenth of the users) and test (a third)."""
    test = rows.raw["day"].to_numpy() >= FIRST_TEST_DAY
    held_out = rows.raw["user_id"].str[1:].astype(int).to_numpy() % 10 == 0
    train = np.flatnonzero(~test & ~held_out)
    setting = LABELS[labels]
    if setting is not None:
        train = np.sort(np.random.default_rng(2).permutation(train)[: setting[0]])
    return train, np.flatnonzero(~test & held_out), np.flatnonzero(test)[::3]


def _train(rows: SimulatedRows, labels: str, model: str, seed: int) -> dict[str, Any]:
    """One training: the tasks' AUCs on the test rows, and all on validation and test by round."""
    import keras

    from benchmarks.planted_tasks import Training
    from mtlx.pipeline.experiment.presets import read_preset
    from mtlx.trainer.model.ranking_model import RankingModel
    from mtlx.trainer.settings import ModelSettings

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    chosen = MODELS[model]
    settings = ModelSettings.read({**read_preset(chosen.preset).model, **chosen.changes})
    train, *judged = _split(rows, labels)
    started = time.process_time()
    tasks = rows.inputs.tasks
    built = RankingModel(rows.inputs, settings)
    if chosen.start is not None:
        table = built.embedding.table
        table.assign(table / keras.ops.std(table) * chosen.start)
    training = Training(
        built,
        tasks,
        rows.chosen(train),
        seed=seed,
        learning_rate=chosen.rate,
    )
    aucs = []
    rounds, passes = ROUNDS[labels]
    for _ in range(rounds):
        training.epochs(passes)
        aucs.append([_aucs(training, rows, places) for places in judged])
    of_tasks = {
        task.name: max((validation[index], test[index]) for validation, test in aucs)[1]
        for index, task in enumerate(tasks)
    }
    seconds = round(time.process_time() - started, 1)
    return {"auc": of_tasks, "rounds": aucs, "seconds": seconds}


def _aucs(training: Any, rows: SimulatedRows, places: np.ndarray) -> list[float]:
    logits = np.concatenate([
        training.predict(rows.chosen(some))["logits"] for some in _chunks(places)
    ])  # fmt: skip
    return [_auc_of(rows, places, index, logits[:, index]) for index in range(logits.shape[1])]


def _auc_of(rows: SimulatedRows, places: np.ndarray, index: int, scores: np.ndarray) -> float:
    """The expected AUC of a task's scores on some rows; the index is that of the model's task."""
    task = rows.inputs.tasks[index]
    place = TASKS.index(task.name)
    weights = np.ones(len(places)) if task.population is None else rows.reached[places, place]
    return expected_auc(scores, rows.truth[places, place], weights)


def _chunks(places: np.ndarray, size: int = 5_000) -> Iterator[np.ndarray]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _lines(store: Path) -> list[dict[str, Any]]:
    if not store.exists():
        return []
    return [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines()]


def _table(store: Path, rows: SimulatedRows) -> list[str]:
    """A Markdown table: each seed's AUC, their mean, and the best possible on the same rows."""
    found = _lines(store)
    columns = list(dict.fromkeys((line["labels"], task) for line in found for task in line["auc"]))
    head = ["", *(f"{labels}: {task}" if labels == "log" else labels for labels, task in columns)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for model in MODELS:
        cells = [f"`{model}`"]
        for labels, task in columns:
            own = [line for line in found if (line["labels"], line["model"]) == (labels, model)]
            aucs = [line["auc"][task] for line in own]
            seeds = " ".join(f"{auc:.4f}"[1:] for auc in aucs)
            cells.append(f"{seeds} ({statistics.mean(aucs):.4f})" if aucs else "")
        lines.append(f"| {' | '.join(cells)} |")
    best = [f"{_best(rows, labels, task):.4f}" for labels, task in columns]
    return [*lines, f"| best possible | {' | '.join(best)} |"]


def _best(rows: SimulatedRows, labels: str, task: str) -> float:
    given, places = _given(rows, labels, "mmoe"), _split(rows, labels)[-1]
    truth = given.truth[places, TASKS.index(task)]
    return _auc_of(given, places, [one.name for one in given.inputs.tasks].index(task), truth)


if __name__ == "__main__":
    main()
