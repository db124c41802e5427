"""How large the parts are that a new model joins, for every network, encoder, bottom, interaction.

    python -m benchmarks.start_scale                        # every member, a Markdown table
    python -m benchmarks.start_scale mmoe dmt --places 10   # of two members the ten worst places

A model starts to learn from what is large. Where two parts are joined (put behind each other, added
or stacked) and one of them is a hundred times larger, the other one is at first not heard. So a
model's computation is traced with weights as they start, all places where it joins parts are found
in the graph, and the root mean square of every part is measured over 256 random rows: 20 fields of
ids, 4 of standard normal numbers, two sequences of 20 items; three tasks and domains. Encoders and
bottoms are those of an MMoE, interactions those of an `interaction` network. All are measured with
embeddings that start as they do, and at 0.25.

Where one part is small on purpose, see `BY_DESIGN`: such a place has a line of its own.
"""

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

#: Joins of which one part is small for a reason, by a pattern that their place matches.
BY_DESIGN = {
    r"conditional_layer_normalization/add$": "generated shifts start at 0 (DTRN, Eq. 6)",
    r"\b(dcnm|gdcn)/add$": "a cross of two small parts is small: the module starts linear",
    r"\bse_net/add$": "the fields' weights are small as the fields, which stand beside",
    r"\bmemo_net/add$": "the crosses' weights are small as the fields, which stand beside",
    r"\bstar/(concat|add)$": "the auxiliary network is there for the domain",
    r"\bm2m/meta_unit/add$": "a task's embedding, which is the same beside all experts compared",
    r"/towers/parallel_dense/concat$": "scores of tasks, which stand side by side",
}
#: The other scale that embeddings are measured at: vectors of 16 numbers have length 1.
LARGE = 0.25

_TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("buy", "buy", "cart"),
)
_FIELDS, _NUMBERS, _CARDINALITY, _LENGTH, _ROWS = 20, 4, 200, 20, 256
_INPUTS = ModelInputs(
    tuple(CategoricalInput(f"field_{index}", _CARDINALITY) for index in range(_FIELDS)),
    tuple(NumericInput(f"number_{index}") for index in range(_NUMBERS)),
    tuple(SequenceInput(name, "field_0", _LENGTH) for name in ("clicks", "buys")),
    "field_0",
    ("home", "search", "product"),
    _TASKS,
)
#: Graph operations that join parts, and the number of their last inputs that are no parts.
_JOINS = {"ConcatV2": 1, "AddV2": 0, "AddN": 0, "Pack": 0}
#: Smaller parts are zeros that have not learnt yet, such as biases.
_ZERO = 1e-12
#: Larger ones are what hides padding from a softmax.
_HIDDEN = 1e6


@dataclass(frozen=True)
class Join:
    """A place where parts meet.

    Attributes:
        place: path of layers, and the operation.
        parts: root mean square of each part.
    """

    place: str
    parts: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Of the largest part to the smallest."""
        return max(self.parts) / min(self.parts)

    @property
    def reason(self) -> str | None:
        """Why one part is small by design; None where it is not."""
        matching = (why for place, why in BY_DESIGN.items() if re.search(place, self.place))
        return next(matching, None)

    def __str__(self) -> str:
        return f"`{self.place}` ({min(self.parts):.2g} beside {max(self.parts):.2g})"


class StartScale(NamedTuple):
    """What was measured of a model.

    Attributes:
        logits: standard deviation of the logits over rows, the mean of the tasks.
        spread: least standard deviation, over what is weighed, of the scores that a softmax
            reads; None without softmax.
        joins: places where parts meet and none is small by design, the worst one first.
        by_design: the places that `BY_DESIGN` names.
    """

    logits: float
    spread: float | None
    joins: list[Join]
    by_design: list[Join]


def members() -> dict[str, ModelSettings]:
    """A model for every registered member that is trained by gradient descent."""
    found = {
        f"network {name}": ModelSettings(network=name)
        for name in NETWORKS
        if issubclass(NETWORKS.get(name), Network)
    }
    for name in SEQUENCE_ENCODERS:
        found[f"encoder {name}"] = ModelSettings(network="mmoe", sequence_encoder=name)
    for name in BOTTOMS:
        settings = ModelSettings(network="mmoe", sequence_encoder="tim", bottom=name)
        found[f"bottom {name}"] = settings
    for name in INTERACTIONS:
        options = {"interaction": {"name": name}}
        found[f"interaction {name}"] = ModelSettings(network="interaction", options=options)
    return found


def measure(
    settings: ModelSettings, starts: Iterable[float | None] = (None,), seed: int = 1
) -> list[StartScale]:
    """Builds the model and measures it.

    Args:
        settings: of the model.
        starts: standard deviations at which its embeddings start; None as they do.
        seed: of its weights.

    Returns:
        One for each start.
    """
    keras.utils.set_random_seed(seed)
    model = RankingModel(_INPUTS, settings)
    traced = _Trace(model, _features())
    measured = []
    for start in starts:
        if start is not None:
            start_at(model, start)
        measured.append(traced.measure())
    return measured


def start_at(model: RankingModel, size: float) -> None:
    """Scales a new model's embeddings, and what starts at their size, to another size."""
    for weight in (model.embedding.table, model.embedding.slopes):
        weight.assign(weight * (size / np.std(np.asarray(weight))))
    if model.gain is not None:
        model.gain.factors.assign(np.full(model.gain.factors.shape, size))


class _Trace:
    """A model's computation as a graph, of which logits, joined parts and scores are read.

    Args:
        model: takes features.
        features: one batch.
    """

    def __init__(self, model: keras.Model, features: dict[str, tf.Tensor]) -> None:
        names = sorted(features)
        self._values = [features[name] for name in names]

        def call(*values: tf.Tensor) -> list[tf.Tensor]:
            given = dict(zip(names, values, strict=True))
            self._find(model(given, training=False)["logits"], list(values))
            return self._read

        signature = [tf.TensorSpec(value.shape, value.dtype) for value in self._values]
        self._function = tf.compat.v1.wrap_function(call, signature)

    def _find(self, logits: tf.Tensor, inputs: list[tf.Tensor]) -> None:
        """Notes what is to be read, in the graph that has just been traced."""
        operations = logits.graph.get_operations()
        of_rows = _reached(operations, inputs)
        # What else flows in are the weights.
        of_any = of_rows | _reached(operations, logits.graph.internal_captures)
        operations = [operation for operation in operations if operation.name in of_rows]
        joins = [(operation.name, _parts(operation, of_any)) for operation in operations]
        self._joins = [(name, parts) for name, parts in joins if len(parts) > 1]
        self._scores = [
            operation.inputs[0] for operation in operations if operation.type == "Softmax"
        ]
        self._logits = logits
        read = [logits, *self._scores, *(part for _, parts in self._joins for part in parts)]
        self._read = list({tensor.name: tensor for tensor in read}.values())

    def measure(self) -> StartScale:
        """With the weights as they are now."""
        arrays = map(np.asarray, self._function(*self._values))
        found = dict(zip((tensor.name for tensor in self._read), arrays, strict=True))
        joins = []
        for name, tensors in self._joins:
            parts = [_rms(found[tensor.name]) for tensor in tensors]
            parts = [part for part in parts if _ZERO < part < _HIDDEN]
            if len(parts) > 1:
                joins.append(Join(_place(name), tuple(parts)))
        joins.sort(key=lambda join: -join.ratio)
        return StartScale(
            float(np.std(found[self._logits.name], axis=0).mean()),
            min((_spread(found[scores.name]) for scores in self._scores), default=None),
            [join for join in joins if join.reason is None],
            [join for join in joins if join.reason is not None],
        )


def _reached(operations: list[tf.Operation], sources: list[tf.Tensor]) -> set[str]:
    """Names of the operations that depend on any of these tensors."""
    found = {tensor.op.name for tensor in sources}
    for operation in operations:
        if any(tensor.op.name in found for tensor in operation.inputs):
            found.add(operation.name)
    return found


def _parts(operation: tf.Operation, reached: set[str]) -> list[tf.Tensor]:
    """What an operation joins: tensors of floats that are no constants."""
    if operation.type not in _JOINS:
        return []
    last = len(operation.inputs) - _JOINS[operation.type]
    parts = list(operation.inputs)[:last]
    return [part for part in parts if part.dtype.is_floating and part.op.name in reached]


def _place(name: str) -> str:
    """The path of an operation without the model, nor the numbers that make names unique."""
    parts = [re.sub(r"(_\d+)+$", "", part) for part in name.split("/")]
    return "/".join(part for part in parts if part != "ranking_model")


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype="float64"))))


def _spread(scores: np.ndarray) -> float:
    """Mean standard deviation along the last axis, of the scores that are not masked."""
    seen = np.where(scores < -1e4, np.nan, scores)
    seen = seen[np.sum(np.isfinite(seen), axis=-1) > 1]
    return float(np.mean(np.nanstd(seen, axis=-1))) if len(seen) else 0.0


def _features() -> dict[str, tf.Tensor]:
    """Random rows; sequences end at any place, and hold an item at least."""
    random = np.random.default_rng(0)
    ids = partial(random.integers, 1, _CARDINALITY)
    found = {field.name: ids(_ROWS) for field in _INPUTS.categorical}
    for field in _INPUTS.numeric:
        found[field.name] = random.normal(size=_ROWS).astype("float32")
    for sequence in _INPUTS.sequences:
        ends = random.integers(1, _LENGTH + 1, (_ROWS, 1))
        found[sequence.name] = np.where(np.arange(_LENGTH) < ends, ids((_ROWS, _LENGTH)), 0)
    found["domain_id"] = random.integers(0, len(_INPUTS.domains), _ROWS)
    return {name: tf.constant(values) for name, values in found.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("members", nargs="*", help="names of members; all by default")
    parser.add_argument("--places", type=int, default=0, help="list so many places of each member")
    arguments = parser.parse_args()
    print(f"Embeddings as they start / at {LARGE}; the place is the worst one as they start.\n")
    print("| member | logits | scores' spread | worst ratio | place |")
    print("|---|---|---|---|---|")
    for name, settings in members().items():
        if not arguments.members or name.split()[1] in arguments.members:
            _print(name, measure(settings, (None, LARGE)), arguments.places)


def _print(name: str, found: list[StartScale], places: int) -> None:
    numbers = [
        [one.logits for one in found],
        [one.spread for one in found],
        [one.joins[0].ratio for one in found],
    ]
    cells = [" / ".join("–" if v is None else f"{v:.2g}" for v in values) for values in numbers]
    print(f"| {name} | {' | '.join(cells)} | {found[0].joins[0]} |", flush=True)
    seen = {join.place: join for join in reversed(found[0].by_design)}
    for join in reversed(seen.values()):
        later = max(other.ratio for other in found[1].by_design if other.place == join.place)
        print(f"| | | | {join.ratio:.2g} / {later:.2g} | {join}: {join.reason} |")
    for one in found:
        for join in one.joins[:places]:
            print(f"    {join.ratio:.3g} {join}")


if __name__ == "__main__":
    main()
