"""The models that the benchmarks of training steps measure, and rows for them.

Three tasks, three domains, 20 fields of width 16; encoders read two sequences of 50 items. Encoders
and arrangements are those of an MMoE, bottoms stand between TIM and it. Sizes are the members'
defaults.
"""

import numpy as np

from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    SequenceInput,
    TaskSpec,
)

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("buy", "buy", "cart"),
)
DOMAINS = ("home", "search", "product")
FIELDS, LENGTH = 20, 50
#: Names that stand for another member, or for none.
SAME = ("none", "joint", "youtube_net")

Batch = dict[str, np.ndarray]


def member_names() -> list[str]:
    """Every network, arrangement, encoder and bottom that trains by gradient, each once."""
    every = dict.fromkeys([*NETWORKS, *ARRANGEMENTS, *SEQUENCE_ENCODERS, *BOTTOMS])
    return [name for name in every if name not in SAME and trains_by_gradient(name)]


def trains_by_gradient(name: str) -> bool:
    return name not in NETWORKS or issubclass(NETWORKS.get(name), Network)


def settings_of(name: str) -> ModelSettings:
    """A network as it is; an encoder below MMoE, as in DTRN's tables."""
    if name in NETWORKS:
        return ModelSettings(network=name, sequence_encoder="none")
    if name in ARRANGEMENTS:
        return ModelSettings(network="mmoe", sequence_encoder="none", arrangement=name)
    if name in BOTTOMS:
        return ModelSettings(network="mmoe", sequence_encoder="tim", bottom=name)
    return ModelSettings(network="mmoe", sequence_encoder=name)


def inputs_of(rows: int, sequences: bool) -> ModelInputs:
    fields = tuple(CategoricalInput(f"field_{i}", rows) for i in range(FIELDS))
    names = ("clicks", "buys") if sequences else ()
    found = tuple(SequenceInput(name, "field_0", LENGTH) for name in names)
    return ModelInputs(fields, (), found, "field_0", DOMAINS, TASKS)


def batch_of(inputs: ModelInputs, size: int, seed: int = 0) -> Batch:
    random = np.random.default_rng(seed)
    batch = {
        field.name: random.integers(3, field.cardinality, size) for field in inputs.categorical
    }
    for sequence in inputs.sequences:
        batch[sequence.name] = random.integers(3, 1000, (size, LENGTH))
    batch["domain_id"] = random.integers(0, len(DOMAINS), size)
    reached = np.ones(size, np.int64)
    for task in TASKS:
        reached = reached * (random.random(size) < 0.4)
        batch[task.label] = reached
    return batch
