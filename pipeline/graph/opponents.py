"""The nodes that find the models which the candidate is compared with."""

from dataclasses import dataclass

from tfx import types
from tfx.components import Trainer
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.types import Channel, standard_artifacts

from mtlx.components.relaimp_gate.settings import AnchorWindow
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.resolvers.best_blessed_model import BestBlessedModelStrategy
from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy


@dataclass(frozen=True)
class Opponents:
    """Nodes outside the run's own training.

    Attributes:
        served: finds the model that was blessed last: the one that the candidate would replace.
        given: imports a given model, which takes its place as the baseline; None without one.
        anchor: finds the anchor model; None where the gate asks for none, or for the reference.
    """

    served: base_node.BaseNode
    given: base_node.BaseNode | None
    anchor: base_node.BaseNode | None

    @classmethod
    def of(cls, experiment: Experiment, candidate: Trainer) -> "Opponents":
        """The nodes that an experiment's gate asks for.

        Args:
            experiment: the validated experiment.
            candidate: the Trainer of the candidate, which is never its own opponent.
        """
        gate, given, anchor = experiment.gate, None, None
        if gate.given_model is not None:
            given = Importer(
                source_uri=absolute(gate.given_model),
                artifact_type=standard_artifacts.Model,
            ).with_id("GivenModel")
        if isinstance(gate.anchor, AnchorWindow):
            last = {"last": gate.anchor.last}
            anchor = _resolver("AnchorModel", candidate, BestBlessedModelStrategy, last)
        served = _resolver("LatestBlessedModel", candidate, PreviousBlessedModelStrategy)
        return cls(served, given, anchor)

    @property
    def nodes(self) -> list[base_node.BaseNode]:
        """Those that there are."""
        return [node for node in (self.served, self.given, self.anchor) if node is not None]

    @property
    def baseline(self) -> types.BaseChannel:
        """The model that the candidate is compared with first."""
        return self.given.outputs["result"] if self.given else self.served.outputs["model"]

    @staticmethod
    def output(node: base_node.BaseNode | None, name: str) -> types.BaseChannel | None:
        """An output of a node, None where there is no such node."""
        return node.outputs[name] if node else None


def _resolver(
    node_id: str, candidate: Trainer, strategy: type, config: dict[str, int] | None = None
) -> base_node.BaseNode:
    kinds = standard_artifacts
    return Resolver(
        strategy_class=strategy,
        config=config,
        model=Channel(type=kinds.Model),
        model_blessing=Channel(type=kinds.ModelBlessing),
        infra_blessing=Channel(type=kinds.InfraBlessing),
        candidate=candidate.outputs["model"],
    ).with_id(node_id)
