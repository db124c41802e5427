"""The raw examples of a run: in one artifact with all splits, or in one per span."""

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
    """

    train: types.BaseChannel
    test: types.BaseChannel | None

    @classmethod
    def of(cls, examples: base_node.BaseNode, window: base_node.BaseNode | None) -> "RunExamples":
        """Of the node that reads the logs, or of the one that finds the spans of a window."""
        if window is None:
            return cls(examples.outputs["examples"], None)
        return cls(window.outputs["train_examples"], window.outputs["test_examples"])
