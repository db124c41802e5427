"""What the sizes are worth that embeddings and interests start with, on planted rows.

    python -m benchmarks.start_sizes                # all tables, an hour
    python -m benchmarks.start_sizes --only few_ids --network gdcn

Labels follow single ids, combinations of two ids, a number, and whether the target item is in the
sequence, with known probabilities. `few_ids` has fields of 20 to 60 ids, `many_ids` fields of up to
3,000 with a long tail. 40,000 rows are passed over eight times at a learning rate of 0.001 and 256
rows a step; the AUC is that on 10,000 other rows, of the best pass, for every seed.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from benchmarks.planted_sequences import LENGTH, Columns, Learning, planted_sequence, put_target
from benchmarks.start_scale import start_at
from mtlx.trainer.layers.unit_scale import unit_scale
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.parts.bottoms.bottom import join
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

EPOCHS = 8


@dataclass(frozen=True)
class PlantedFields:
    """Rows whose labels follow fields and a sequence, as `benchmarks.planted_sequences` has them.

    Attributes:
        cardinalities: of the fields; the first one's ids are the items.
        of_sequence: how much the logit rises or falls with the target being in the sequence.
        rows: of an epoch.
        tasks: names of the tasks.
    """

    cardinalities: tuple[int, ...]
    of_sequence: float = 0.85
    rows: int = 40_000
    tasks: tuple[str, ...] = ("click",)

    @property
    def inputs(self) -> ModelInputs:
        """What a model is built from."""
        fields = [f"field_{place}" for place in range(len(self.cardinalities))]
        return ModelInputs(
            tuple(map(CategoricalInput, fields, self.cardinalities)),
            (NumericInput("price"), NumericInput("age")),
            (SequenceInput("clicks", fields[0], LENGTH),),
            fields[0],
            ("all",),
            (TaskSpec("click", "click"),),
        )

    def sample(self, rows: int, seed: int) -> tuple[Columns, np.ndarray]:
        """Features and labels by name, and the labels' probabilities ``(rows, 1)``."""
        world, random = np.random.default_rng(7), np.random.default_rng(seed)
        ids = [self._ids(random, count, rows) for count in self.cardinalities]
        own = [world.normal(0, 0.35, count) for count in self.cardinalities]
        hidden = [world.normal(size=(count, 4)) for count in self.cardinalities]
        clicks = planted_sequence(random, rows, self.cardinalities[0])
        rule = put_target(random, clicks, ids[0])
        numbers = random.normal(size=(2, rows)).astype("float32")
        logits = 0.4 * numbers[0] - 0.3 + np.where(rule, 1, -1) * self.of_sequence
        logits += sum(values[found] for values, found in zip(own, ids, strict=True))
        for one, other in ((1, 2), (3, 4)):
            both = hidden[one][ids[one]] * hidden[other][ids[other]]
            logits += 0.5 * both.sum(axis=1)
        probabilities = 1 / (1 + np.exp(-logits[:, None]))
        columns = {f"field_{place}": values for place, values in enumerate(ids)}
        columns |= {"clicks": clicks, "price": numbers[0], "age": numbers[1]}
        labels = random.random(probabilities.shape) < probabilities
        return {**columns, "click": labels[:, 0].astype("int64")}, probabilities

    @staticmethod
    def _ids(random: np.random.Generator, count: int, rows: int) -> np.ndarray:
        """Ids from 2 on; of more than 500 the n-th is drawn 1/n as often as the first."""
        shares = 1.0 / np.arange(1, count - 1) if count > 500 else np.ones(count - 2)
        return 2 + random.choice(count - 2, rows, p=shares / shares.sum())


DATA = {
    "few_ids": PlantedFields((60, 25, 25, 25, 25, 30, 30, 20)),
    "many_ids": PlantedFields((60, 100, 100, 100, 100, 3000, 3000, 20)),
}
#: Small networks by name: settings without the encoder, and the encoder.
NETWORKS: dict[str, tuple[str, dict, str]] = {
    "shared_bottom": ("shared_bottom", {"bottom_hidden": [64], "tower_hidden": [32]}, "none"),
    **{
        name: (
            "interaction",
            {"interaction": {"name": name}, "units": 64, "tower_hidden": [32]},
            "none",
        )
        for name in ("dcn_m", "gdcn", "senet", "memonet")
    },
    **{
        name: ("shared_bottom", {"bottom_hidden": [64], "tower_hidden": [32]}, name)
        for name in ("dmt", "tim", "bst", "atrank", "dfn")
    },
}


def _as_it_is(model: RankingModel) -> None:
    pass


def _without_gain(model: RankingModel) -> None:
    """Interests at a root mean square of 1, beside fields of 0.01."""
    model.gain.factors.assign(ops.ones_like(model.gain.factors))
    model.gain.trainable = False


def _gain_at(size: float) -> Callable[[RankingModel], None]:
    def change(model: RankingModel) -> None:
        model.gain.factors.assign(ops.full_like(model.gain.factors, size))

    return change


def _starting_at(size: float) -> Callable[[RankingModel], None]:
    def change(model: RankingModel) -> None:
        start_at(model, size)

    return change


def _rows_at_one(model: RankingModel) -> None:
    """All fields of a row divided by their root mean square."""
    if model.gain is not None:
        _without_gain(model)

    def scaled(
        fields: keras.KerasTensor, interests: keras.KerasTensor | None, training: bool = False
    ) -> keras.KerasTensor:
        flat = ops.reshape(fields, (-1, fields.shape[1] * fields.shape[2]))
        return join(ops.reshape(unit_scale(flat), ops.shape(fields)), interests)

    model.bottom = scaled


def _fields_at_one(model: RankingModel) -> None:
    """Each field divided by its root mean square."""
    if model.gain is not None:
        _without_gain(model)
    model.bottom = lambda fields, interests, training=False: join(unit_scale(fields), interests)


WAYS: dict[str, Callable[[RankingModel], None]] = {
    "as it is": _as_it_is,
    "interests at 0.1": _gain_at(0.1),
    "interests at 1": _without_gain,
    "start at 0.1": _starting_at(0.1),
    "start at 0.25": _starting_at(0.25),
    "rows at 1": _rows_at_one,
    "fields at 1": _fields_at_one,
}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(DATA), help="this data")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help="these networks")
    parser.add_argument("--way", action="append", choices=list(WAYS), help="these ways")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    for data in [arguments.only] if arguments.only else DATA:
        print(f"{data}, best possible {_best(DATA[data]):.3f}\n")
        print(f"| | {' | '.join(arguments.way or WAYS)} |")
        print("|---|" + "---|" * len(arguments.way or WAYS))
        for network in arguments.network or NETWORKS:
            cells = [_cell(data, network, way, arguments.seeds) for way in arguments.way or WAYS]
            print(f"| {network} | {' | '.join(cells)} |", flush=True)
        print()


def _cell(data: str, network: str, way: str, seeds: list[int]) -> str:
    if way.startswith("interests") and NETWORKS[network][2] == "none":
        return "–"

    def build() -> RankingModel:
        model = _model(data, network)
        WAYS[way](model)
        return model

    found = []
    for seed in seeds:
        learning = Learning(DATA[data], "none", seed=seed, learning_rate=1e-3, build=build)
        found.append(max(learning.epoch()[0] for _ in range(EPOCHS)))
    return " ".join(f"{auc:.3f}" for auc in found)


def _best(data: PlantedFields) -> float:
    """AUC of the true probabilities on the test rows."""
    columns, probabilities = data.sample(Learning.TEST_ROWS, Learning.TEST_SEED)
    return area_under_curve(columns["click"], probabilities[:, 0])


def _model(data: str, network: str) -> RankingModel:
    name, options, encoder = NETWORKS[network]
    settings = ModelSettings(network=name, options=options, sequence_encoder=encoder)
    return RankingModel(DATA[data].inputs, settings)


if __name__ == "__main__":
    main()
