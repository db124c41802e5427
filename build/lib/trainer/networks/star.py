"""STAR: one network of all domains, bent to each of them."""

from typing import Annotated

import keras
from keras import ops
from pydantic import Field, PositiveInt

from trainer.layers.parallel_mlp import ParallelMLP
from trainer.layers.partitioned_normalization import PartitionedNormalization
from trainer.layers.star_dense import StarDense
from trainer.layers.towers import Towers
from trainer.networks.network import Network, flatten
from transform.model_inputs import ModelInputs


class STAR(Network):
    """Star topology adaptive recommender (Sheng et al. 2021), with a tower per task.

    - Partitioned normalisation of the flattened fields by the row's domain d, by moving
      statistics of that domain in training too: see `PartitionedNormalization`.
    - Fully connected layers with weights W_s ⊙ W_d and biases b_s + b_d, ReLU between.
    - An auxiliary network on the domain's embedding and the fields; its logits are added.

    The paper has one task: the star-shaped layers end in its logit. Here they end in a
    representation from which T towers, common to all domains, read; the auxiliary network has
    an output per task.

    Shown to learn:
        Opposite tastes of two domains, without the auxiliary network: AUC 0.861 of the possible
        0.862 on planted rows, and 0.5 where all rows are told to be of one domain. W_d moves there
        (0.44 on the mean between two domains), but γ_d and b_d could do it as well.

    Args:
        inputs: tasks and domains.
        hidden: widths of the star-shaped layers.
        tower_hidden: widths of each tower's hidden layers.
        auxiliary_hidden: widths of the auxiliary network's hidden layers.
        domain_size: width of the domain's embedding.
        dropout: share of the hidden units that are dropped in training.
        normalize: False omits the partitioned normalisation.
        momentum: of the normalisation's statistics.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [256, 128],  # noqa: B006
        tower_hidden: list[PositiveInt] = [64],  # noqa: B006
        auxiliary_hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [32],  # noqa: B006
        domain_size: PositiveInt = 16,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalize: bool = True,
        momentum: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.99,
    ):
        super().__init__()
        domains, tasks = len(inputs.domains), len(inputs.tasks)
        self.normalization = PartitionedNormalization(domains, momentum) if normalize else None
        self.hidden_layers = [StarDense(domains, units, "relu") for units in hidden]
        self.dropout = keras.layers.Dropout(dropout)
        self.towers = Towers(tasks, tower_hidden, dropout)
        self.domain_embedding = self.add_weight(
            shape=(domains, domain_size), initializer="glorot_uniform", name="domain_embedding"
        )
        self.auxiliary = ParallelMLP(1, auxiliary_hidden, dropout)
        self.auxiliary_output = keras.layers.Dense(tasks)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """See Network."""
        layers = [*self.hidden_layers, *([self.normalization] if self.normalization else [])]
        own = [variable for layer in layers for variable in layer.domain_variables]
        return [self.domain_embedding, *own]

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and domain ids ``(B,)`` to "logits" ``(B, T)``."""
        flat = flatten(fields)
        hidden = flat
        if self.normalization is not None:
            hidden = self.normalization(flat, domain_ids, training=training)
        for layer in self.hidden_layers:
            hidden = self.dropout(layer(hidden, domain_ids), training=training)  # (B, units)
        logits = self.towers(hidden, training=training)
        domain = ops.take(self.domain_embedding, domain_ids, axis=0)  # (B, domain_size)
        joined = ops.concatenate([domain, flat], axis=-1)
        auxiliary = self.auxiliary(joined, training=training)[:, 0]
        return {"logits": logits + self.auxiliary_output(auxiliary)}
