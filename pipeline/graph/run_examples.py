"""The raw examples of a run and their statistics: of all splits at once, or one per span."""

from dataclasses import dataclass

from tfx import types
from tfx.dsl.components.base import base_node


@dataclass(frozen=True)
class RunExamples:
    """What the nodes behind LogExampleGen read.

    Attributes:
        train: examples whose splits ``train`` and ``validation`` make the model; without a window
            its split ``test`` is what the model is tested on.
        test: with a window, the examples that test, with all their splits; else None.
        train_statistics: of `train`.
        test_statistics: of `test`; without a window the same as `train_statistics`.
    """

    train: types.BaseChannel
    test: types.BaseChannel | None
    train_statistics: types.BaseChannel
    test_statistics: types.BaseChannel

    @classmethod
    def of(
        cls,
        examples: base_node.BaseNode,
        statistics: base_node.BaseNode,
        window: base_node.BaseNode | None,
    ) -> "RunExamples":
        """Of the node that reads the logs, or of the one that finds the spans of a window."""
        if window is None:
            described = statistics.outputs["statistics"]
            return cls(examples.outputs["examples"], None, described, described)
        names = ("train_examples", "test_examples", "train_statistics", "test_statistics")
        return cls(*(window.outputs[name] for name in names))
