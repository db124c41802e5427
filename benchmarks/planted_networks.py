"""What each network and interaction learns of four planted logs whose best possible AUC is known.

    python -m benchmarks.planted_networks                # the whole table, Markdown
    python -m benchmarks.planted_networks mmoe star --data small_domain --seeds 1
    python -m benchmarks.planted_networks m3oe --data small_domain --loss binary_cross_entropy

- `own_rules`: in each of three domains the label follows another direction of 16 numbers. The
  domain is a field as well. Best AUC wants weights, or a crossing, of the domain's own.
- `small_domain`: what the labels follow is the same in three domains, one of which has 80 of 3,080
  training rows; the AUC is of that one alone.
- `transfer`: a conversion is known of the clicked tenth of the rows alone. Click and conversion
  follow the same product of numbers, which so few conversions can't tell; the AUC is the
  conversion's, on all rows.
- `cross`: the label follows a random table of 30 x 30 pairs of two ids, beside two ids that say
  nothing.

MemoNet crosses ids: it is among a network's modules on `cross` alone. Arrangements stand around a
Shared-Bottom, on the two logs with domains.

Every network has some 16 to 64 units a layer, Adam at 0.004 and its own losses; its epoch is chosen
on rows of its own, the AUC is of others. The interactions stand in an `interaction` network.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from benchmarks.planted_sequences import Columns, Learning
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)

_EXPERTS = {"experts": 4, "expert_hidden": [32], "tower_hidden": [16]}
_OWN_EXPERTS = {"expert_hidden": [32], "tower_hidden": [16]}
_INTERACTIONS = [
    {"name": "gdcn", "options": {"rank": 8}},
    {"name": "memonet", "options": {"codewords": 500, "hcnets": 1}},
    {"name": "masknet", "options": {"aggregation": 32, "blocks": 1}},
]
#: Sizes of the networks; those of the interactions in `_OF_INTERACTIONS`.
OPTIONS: dict[str, dict[str, Any]] = {
    "single_task": {"hidden": [32, 16]},
    "shared_bottom": {"bottom_hidden": [32], "tower_hidden": [16]},
    "mmoe": _EXPERTS,
    "omoe": _EXPERTS,
    "cgc": _OWN_EXPERTS,
    "ple": _OWN_EXPERTS,
    "adatt": _OWN_EXPERTS,
    "adatt_sp": _OWN_EXPERTS,
    "man": {"task_experts": 2, "shared_experts": 2, **_OWN_EXPERTS},
    "aitm": {"tower_hidden": [32, 16]},
    "esmm": {"tower_hidden": [32, 16]},
    "small_heads": {"bottom_hidden": [32], "tower_hidden": [16]},
    "domain_task_mlp": {"hidden": [32, 16]},
    "star": {"hidden": [32], "tower_hidden": [16], "auxiliary_hidden": [16], "domain_size": 4},
    "m2m": {"experts": 3, "expert_hidden": [32], "attention_units": 16, "knowledge_size": 16},
    "m3oe": {"domain_units": 32, "hidden": [32], "expert_hidden": [32], "tower_hidden": [16]},
    "pepnet": {"tower_hidden": [32, 16], "gate_hidden": 16, "domain_size": 4},
    "home": {
        "meta_hidden": [32],
        "expert_hidden": [32],
        "tower_hidden": [16],
        "feature_rank": 8,
    },
    "stem": _OWN_EXPERTS,
    "interaction": {"interaction": _INTERACTIONS[0], "units": 32, "tower_hidden": [16]},
    "sfm": {"interaction": _INTERACTIONS[0], "units": 32, **_OWN_EXPERTS},
    "tfi": {"interactions": _INTERACTIONS, "units": 32, "levels": 1, **_OWN_EXPERTS},
    "dtn": {"interactions": _INTERACTIONS, "units": 32, "tower_hidden": [16]},
}
_OF_INTERACTIONS: dict[str, dict[str, Any]] = {
    each["name"]: each["options"] for each in _INTERACTIONS
} | {"masknet": {"aggregation": 32, "blocks": 1, "arrangement": "serial"}}
_DOMAINS = ("feed", "search", "page")
_NUMBERS = 16


@dataclass(frozen=True)
class PlantedLog:
    """A log with a known rule.

    Attributes:
        draw: from a random generator, a number of rows and the domains' shares to features by name
            and the labels' log odds ``(rows, T)``.
        inputs: what a model is built from.
        rows: of an epoch; the same rows in every epoch.
        epochs: at most.
        measured: the task whose AUC counts.
        shares: of the domains in training.
        test_shares: of the domains in tests.
    """

    draw: Callable[[np.random.Generator, int, Sequence[float]], tuple[Columns, np.ndarray]]
    inputs: ModelInputs
    rows: int
    epochs: int
    measured: int = 0
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    test_shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.inputs.tasks)

    def sample(self, rows: int, seed: int) -> tuple[Columns, np.ndarray]:
        """Features and labels by name, and the labels' probabilities ``(rows, T)``."""
        random = np.random.default_rng(seed)
        shares = self.shares if rows == self.rows else self.test_shares
        columns, log_odds = self.draw(random, rows, shares)
        probabilities = 1 / (1 + np.exp(-log_odds))
        labels = random.random(probabilities.shape) < probabilities
        labelled = {name: labels[:, task].astype("int64") for task, name in enumerate(self.tasks)}
        return {**columns, **labelled}, probabilities


def _inputs(
    tasks: tuple[TaskSpec, ...],
    domains: tuple[str, ...] = ("all",),
    ids: tuple[str, ...] = (),
    numbers: int = _NUMBERS,
) -> ModelInputs:
    return ModelInputs(
        tuple(CategoricalInput(name, 32) for name in ids),
        tuple(NumericInput(f"number_{place}") for place in range(numbers)),
        (),
        None,
        domains,
        tasks,
    )


def _columns(values: np.ndarray, domains: np.ndarray | None = None) -> Columns:
    columns = {f"number_{place}": column for place, column in enumerate(values.T)}
    if domains is not None:
        columns |= {"domain_id": domains, "domain": 2 + domains}
    return columns


def _directions(count: int, seed: int) -> np.ndarray:
    """Orthonormal directions, ``(numbers, count)``."""
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.normal(size=(_NUMBERS, count)))[0]


def _own_rules(
    random: np.random.Generator, rows: int, shares: Sequence[float]
) -> tuple[Columns, np.ndarray]:
    values = random.normal(size=(rows, _NUMBERS)).astype("float32")
    domains = random.choice(3, rows, p=shares)
    scores = 2.0 * (values @ _directions(3, 7))[np.arange(rows), domains]
    return _columns(values, domains), np.stack([scores, -scores], axis=1)


def _small_domain(
    random: np.random.Generator, rows: int, shares: Sequence[float]
) -> tuple[Columns, np.ndarray]:
    values = random.normal(size=(rows, _NUMBERS)).astype("float32")
    domains = random.choice(3, rows, p=shares)
    scores = 2.0 * np.tanh(values @ _directions(2, 7)) * np.sign(values[:, :1])
    return _columns(values, domains), scores + np.array([0.5, -0.5, 1.0])[domains][:, None]


def _transfer(
    random: np.random.Generator, rows: int, _: Sequence[float]
) -> tuple[Columns, np.ndarray]:
    values = random.normal(size=(rows, _NUMBERS)).astype("float32")
    along = values @ _directions(3, 7)
    shared, own = 1.5 * along[:, 0] * along[:, 1], along[:, 2]
    return _columns(values), np.stack([shared - 3.0, shared + 0.5 * own - 1.0], axis=1)


def _cross(
    random: np.random.Generator, rows: int, _: Sequence[float]
) -> tuple[Columns, np.ndarray]:
    names = ("user_kind", "item_kind", "noise_1", "noise_2")
    columns = {name: random.integers(2, 32, rows) for name in names}
    table = 1.5 * np.random.default_rng(7).normal(size=(32, 32))
    return columns, table[columns["user_kind"], columns["item_kind"]][:, None]


_TWO = (TaskSpec("click", "click"), TaskSpec("like", "like"))
_CHAIN = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click", "click"))
DATA = {
    "own_rules": PlantedLog(_own_rules, _inputs(_TWO, _DOMAINS, ("domain",)), 3_072, 30),
    "small_domain": PlantedLog(
        _small_domain,
        _inputs(_TWO, _DOMAINS, ("domain",)),
        3_072,
        40,
        shares=(0.487, 0.487, 0.026),
        test_shares=(0.0, 0.0, 1.0),
    ),
    "transfer": PlantedLog(_transfer, _inputs(_CHAIN), 12_288, 8, measured=1),
    "cross": PlantedLog(
        _cross,
        _inputs(_TWO[:1], ids=("user_kind", "item_kind", "noise_1", "noise_2"), numbers=0),
        20_480,
        8,
    ),
}


def learnt(
    data: str, settings: ModelSettings, seed: int, loss: str | None = None
) -> tuple[float, float]:
    """Trains a model on a planted log; gives its AUC and the best possible one.

    Args:
        data: name of the log.
        settings: of the model.
        seed: of weights and training rows.
        loss: name of a loss in the place of the model's own.
    """
    planted = DATA[data]
    settings = _fitting(settings, planted.inputs)
    build = ARRANGEMENTS.get(settings.arrangement)
    learning = Learning(
        planted,
        "none",
        seed=seed,
        build=lambda: build(planted.inputs, settings),
        loss=None if loss is None else [{"name": loss}],
    )
    chosen = (-1.0, 0.0)
    for _ in range(planted.epochs):
        test = learning.epoch()[planted.measured]
        chosen = max(chosen, (learning.aucs(2 * 10**6)[planted.measured], test))
    return float(chosen[1]), float(learning.best()[planted.measured])


def _fitting(settings: ModelSettings, inputs: ModelInputs) -> ModelSettings:
    """The settings without MemoNet among the modules where there are no two ids to cross."""
    modules = settings.options.get("interactions")
    if modules is None or len(inputs.categorical) > 1:
        return settings
    left = [module for module in modules if module["name"] != "memonet"]
    return settings.model_copy(update={"options": {**settings.options, "interactions": left}})


def models() -> dict[str, tuple[ModelSettings, tuple[str, ...]]]:
    """What is measured, by name, and on which logs."""
    found = {}
    for name in NETWORKS:
        if issubclass(NETWORKS.get(name), Network):
            settings = ModelSettings(network=name, options=OPTIONS[name], embedding_size=8)
            found[name] = settings, tuple(DATA)
    for name in INTERACTIONS:
        interaction = {"name": name, "options": _OF_INTERACTIONS.get(name, {})}
        options = {"interaction": interaction, "units": 32, "tower_hidden": [16]}
        settings = ModelSettings(network="interaction", options=options, embedding_size=8)
        found[f"interaction {name}"] = settings, ("cross",)
    for name in ARRANGEMENTS:
        settings = ModelSettings(
            network="shared_bottom",
            options=OPTIONS["shared_bottom"],
            embedding_size=8,
            arrangement=name,
        )
        found[f"arrangement {name}"] = settings, ("own_rules", "small_domain")
    return found


def main() -> None:
    """Prints the table, a row as soon as it is measured."""
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print("| model |", " | ".join(arguments.data), "|")
    print("|---|" + "---|" * len(arguments.data), flush=True)
    best = {}
    for name, (settings, logs) in models().items():
        if arguments.models and name not in arguments.models:
            continue
        cells = []
        for data in arguments.data:
            if data not in logs:
                cells.append("")
                continue
            runs = [learnt(data, settings, seed, arguments.loss) for seed in arguments.seeds]
            keras.backend.clear_session()
            best[data] = runs[0][1]
            cells.append(", ".join(f"{auc:.3f}" for auc, _ in runs))
        print(f"| `{name}` |", " | ".join(cells), "|", flush=True)
    print(
        "| best possible |", " | ".join(f"{best.get(data, 0):.3f}" for data in arguments.data), "|"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="all by default")
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--loss", help="in the place of every model's own")
    return parser.parse_args()


if __name__ == "__main__":
    main()
