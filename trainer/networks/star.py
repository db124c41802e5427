"""STAR: one network of all domains, bent to each of them."""

from typing import Annotated

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.domain.partitioned_normalization import PartitionedNormalization
from mtlx.trainer.layers.domain.star_dense import StarDense
from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization, domain_normalization_layer
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.layers.rows_of import rows_of
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


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
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``. In
            the star-shaped layers its weights are the domain's own, and statistics of a batch
            those of the domain's rows; in towers and auxiliary network they are all rows'.
        normalize: False omits the partitioned normalisation.
        momentum: of the normalisation's statistics.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (64,),
        auxiliary_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (32,),
        domain_size: PositiveInt = 16,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
        normalize: bool = True,
        momentum: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.99,
    ):
        super().__init__()
        domains, tasks = len(inputs.domains), len(inputs.tasks)
        self.partitioned = PartitionedNormalization(domains, momentum) if normalize else None
        self.batch = normalization == "batch"
        self.hidden_layers = [
            StarDense(domains, units, use_bias=not self.batch) for units in hidden
        ]
        self.normalizations = [
            layer
            for _ in hidden
            if (layer := domain_normalization_layer(normalization, domains)) is not None
        ]
        self.dropout = keras.layers.Dropout(dropout)
        self.towers = Towers(tasks, tower_hidden, dropout, normalization)
        self.domain_embedding = self.add_weight(
            shape=(domains, domain_size), initializer="glorot_uniform", name="domain_embedding"
        )
        self.auxiliary = ParallelMLP(1, auxiliary_hidden, dropout, normalization=normalization)
        self.auxiliary_output = keras.layers.Dense(tasks)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """See Network."""
        layers: list[StarDense | PartitionedNormalization] = list(self.hidden_layers)
        if self.partitioned is not None:
            layers.append(self.partitioned)
        own = [variable for layer in layers for variable in layer.domain_variables]
        for layer in self.normalizations:
            own += layer.trainable_variables
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
        if self.partitioned is not None:
            hidden = self.partitioned(flat, domain_ids, training=training)
        for place, layer in enumerate(self.hidden_layers):
            hidden = layer(hidden, domain_ids)  # (B, units)
            if self.normalizations:
                flag = {"training": training} if self.batch else {}
                hidden = self.normalizations[place](hidden, domain_ids, **flag)
            hidden = self.dropout(ops.relu(hidden), training=training)
        logits = self.towers(hidden, training=training)
        domain = rows_of(self.domain_embedding, domain_ids)  # (B, domain_size)
        joined = ops.concatenate([domain, flat], axis=-1)
        auxiliary = self.auxiliary(joined, training=training)[:, 0]
        return {"logits": logits + self.auxiliary_output(auxiliary)}
