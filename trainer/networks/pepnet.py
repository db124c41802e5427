"""PEPNet: what is known of domain, user and item scales embeddings and hidden units."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.field_embedding import EMBEDDING_START
from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gates.gate_neural_unit import GateNeuralUnit
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.rows_of import rows_of
from mtlx.trainer.layers.told import REPRESENTATION, tell
from mtlx.trainer.networks.network import Network
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs


class PEPNet(Network):
    """Parameter and embedding personalized network (Chang et al. 2023, Eqs. 2 to 9).

    With ⊕ for concatenation, ⊗ for the product of elements, sg for a stopped gradient, and gates
    U(x) = 2 · sigmoid(ReLU(x W + b) W' + b') (Eqs. 2 and 3, see `GateNeuralUnit`):

    - E, all fields' embeddings, flattened (Eq. 4).
    - EPNet, by the domain d: δ_domain = U_ep(E(F_d) ⊕ sg(E)) (Eq. 5), O_ep = δ_domain ⊗ E (Eq. 6).
      E(F_d) is an embedding of the row's domain beside the fields named as `domain_fields`.
    - PPNet, by user, item and author: O_prior, the fields named as `prior_fields`; of every layer
      l of the towers δ_task(l) = U_pp(l)(O_prior ⊕ sg(O_ep)) (Eq. 7) and
      O_pp(l) = δ_task(l) ⊗ H(l) (Eq. 8); H(l+1) = ReLU(O_pp(l) W(l) + b(l)) (Eq. 9), per task.
      H(1) is the towers' first layer on O_ep; the logit is linear in the last O_pp.

    The stopped gradients keep the gates from bending the embeddings that they look at; those of
    the priors themselves are trained through the gates, too.

    Source: equations and numbers from a translation of the paper into Chinese; the original text
    was not at hand. Deviation: priors are read from the common table (the paper leaves open
    whether E(F_d) and O_prior have tables of their own).

    Shown to learn:
        Opposite tastes of two domains, which EPNet's gates alone know: AUC 0.839 and 0.857 of
        the possible 0.863 (two seeds), and 0.493 and 0.508 without them. Two tasks that follow the
        user's and the item's own direction, with towers of three units: by PPNet's gates 0.876 and
        0.884 of the possible 0.919 and 0.916 (on other rows 0.888 and 0.879), without them 0.685
        and 0.684 (0.692 and 0.684); with 16 units both reach 0.89 (test_pepnet.py).

    Args:
        inputs: fields, domains and tasks.
        domain_fields: features that tell of the row's domain (an item's clicks there), besides
            the domain itself.
        prior_fields: features of user, item and author; where none is named, all that have ids,
            or all where none has.
        tower_hidden: widths of each tower's hidden layers; the paper's are 100 and 64.
        gate_hidden: width of every gate's hidden layer.
        domain_size: width of the domain's embedding.
        epnet: False leaves the embeddings as they are (the paper's w/o EPNet).
        ppnet: False leaves the hidden units as they are (the paper's w/o PPNet).
        dropout: share of the towers' hidden units that are dropped in training.
        normalization: of the towers' hidden layers, before their ReLU: ``none``, ``batch`` or
            ``layer``.
    """

    reads_fields = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        domain_fields: tuple[str, ...] = (),
        prior_fields: tuple[str, ...] = (),
        tower_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (100, 64),
        gate_hidden: PositiveInt = 64,
        domain_size: PositiveInt = 16,
        epnet: bool = True,
        ppnet: bool = True,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks = len(inputs.tasks)
        self.domain_places = _places(inputs, "domain_fields", domain_fields)
        count = len(inputs.categorical) or len(_names(inputs))
        self.prior_places = _places(inputs, "prior_fields", prior_fields) or list(range(count))
        self.gate_hidden = gate_hidden
        self.embedding_gate: GateNeuralUnit | None = None
        self.domain_embedding = None
        self.epnet = epnet
        if epnet:
            self.domain_embedding = self.add_weight(
                shape=(len(inputs.domains), domain_size),
                # It stands beside the fields' embeddings.
                initializer=keras.initializers.RandomNormal(stddev=EMBEDDING_START),
                name="domain_embedding",
            )
        self.hidden_layers = [
            ParallelMLP(tasks, [units], dropout, normalization=normalization)
            for units in tower_hidden
        ]
        self.layer_gates = [
            GateNeuralUnit(tasks * units, gate_hidden) for units in tower_hidden if ppnet
        ]
        self.output_layer = ParallelDense(tasks, 1)

    @property
    def domain_variables(self) -> list[keras.Variable]:
        """See Network."""
        return [] if self.domain_embedding is None else [self.domain_embedding]

    def build(self, fields_shape: Any = None, *_: object) -> None:
        """Makes the gate of the embeddings, as wide as the fields are together."""
        if self.epnet:
            self.embedding_gate = GateNeuralUnit(
                int(fields_shape[-2] * fields_shape[-1]), self.gate_hidden
            )

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and domain ids ``(B,)`` to "logits" ``(B, T)``."""
        flat = flatten(fields)
        if self.embedding_gate is not None:
            domain = rows_of(self.domain_embedding, domain_ids)  # (B, domain_size)
            known = [domain, *_chosen(fields, self.domain_places), ops.stop_gradient(flat)]
            flat = self.embedding_gate(ops.concatenate(known, axis=-1)) * flat
        known = [*_chosen(fields, self.prior_places), ops.stop_gradient(flat)]
        prior, hidden = ops.concatenate(known, axis=-1), flat
        for place, layer in enumerate(self.hidden_layers):
            hidden = layer(hidden, training=training)  # (B, T, h)
            if self.layer_gates:
                gates = self.layer_gates[place](prior)  # (B, T·h)
                hidden = ops.reshape(gates, (-1, *hidden.shape[1:])) * hidden
        tell(REPRESENTATION, hidden)
        return {"logits": self.output_layer(hidden)[:, :, 0]}


def _chosen(fields: keras.KerasTensor, places: Sequence[int]) -> list[keras.KerasTensor]:
    """The fields at some places, flattened: ``[(B, n·k)]``; nothing where there is no place."""
    if not places:
        return []
    return [flatten(ops.take(fields, np.asarray(places, "int32"), axis=1))]


def _names(inputs: ModelInputs) -> list[str]:
    """Of the embedded features, in the order in which a network sees them."""
    return [field.name for field in (*inputs.fields, *inputs.multiple, *inputs.vectors)]


def _places(inputs: ModelInputs, option: str, names: Sequence[str]) -> list[int]:
    """Where the named features stand among the fields.

    Raises:
        SettingsError: a name that no embedded feature has.
    """
    known = _names(inputs)
    problems = [
        ((option,), f"{name!r} is no embedded feature, {suggest(name, known)}")
        for name in names
        if name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return [known.index(name) for name in names]
