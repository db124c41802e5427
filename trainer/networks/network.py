"""What all networks have in common."""

from typing import Any, ClassVar

import keras

#: What a model is trained with where neither `training.loss` nor the model names anything.
DEFAULT_LOSSES: tuple[dict[str, Any], ...] = ({"name": "binary_cross_entropy"},)


class Network(keras.layers.Layer):
    """Base of the networks: from fields to one logit per task.

    Called with fields ``(B, F, k)``, field_ids ``(B, C)`` int64 (ids of the first C fields),
    domain_ids ``(B,)`` int64 and `training`, a network gives a dict with "logits" ``(B, T)``, or
    with "probabilities" ``(B, T)`` where it composes them itself. It may add "gates/<task>"
    and "contributions/<task>" ``(B, n)`` (see `mtlx.trainer.layers.gate_outputs`) and whatever its
    own losses read. A bottom may have made one wide field of all (F = 1), and inputs of each task's
    own are ``(B, T, F, k)``: see the class attributes.

    Attributes:
        embedding_tables: how many embedding tables the model has for the network, each with rows of
            width k for all ids; with more than one, fields are ``(B, embedding_tables, F, k)``, and
            the network reads fields. The last table is what the model tells of attention.
        gate_names: task to the names of the experts whose weights "gates/<task>" holds, and
            whose shares "contributions/<task>".
        reads_fields: whether the fields must be the embedded features themselves, one after the
            other; such a network stands behind no bottom and no task-specific encoder.
        takes_task_inputs: whether `call` reads ``(B, T, F, k)`` itself. To other networks
            every task's input is shown in turn, and each task's output is read from its own.
        takes_regressions: whether its logits may be those of numbers, too, as those of towers are.
        takes_correction: whether a constant on a task's logit corrects for negatives that were
            drawn (`sampling.correction`), which no task may then go on from.
        default_losses: what it is trained with where `training.loss` names nothing.
        default_method: the training method where `training.method` names none.
    """

    reads_fields: ClassVar[bool] = False
    takes_task_inputs: ClassVar[bool] = False
    takes_regressions: ClassVar[bool] = True
    takes_correction: ClassVar[bool] = True
    default_losses: ClassVar[tuple[dict[str, Any], ...]] = DEFAULT_LOSSES
    default_method: ClassVar[str] = "standard"

    def __init__(self) -> None:
        super().__init__()
        self.gate_names: dict[str, list[str]] = {}
        self.embedding_tables = 1

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`; those with weights of their own override it."""

    @property
    def tells_ids_apart(self) -> bool:
        """Whether it goes by the fields' ids themselves, besides their embeddings."""
        return False

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """Weights whose first axis is the domain; a row changes those of its own domain alone."""
        return []

    @property
    def fusion_variables(self) -> list[keras.Variable]:
        """Weights that weigh parts against each other, which a bi-level method trains apart."""
        return []

    def drop_training_parts(self) -> None:
        """Drops what only the training needs, before the model is exported; here nothing.

        Neither the weights of such parts nor their computation reach the exported model.
        """
