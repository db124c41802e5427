"""What all insights have in common."""

import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mtlx.components.model_insight.figures import Figure

if TYPE_CHECKING:  # Settings read the insights' options, and load no TensorFlow for it.
    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel

#: All random draws begin with it: the same run shows the same.
SEED = 20_240_821


class NotThere(ValueError):
    """The model, or the rows, have nothing of the kind; the text says why, as a sentence's end."""


@dataclass(frozen=True)
class Findings:
    """What an insight found.

    Attributes:
        figures: for the report, from top to bottom.
        values: all numbers, for programs.
        headline: the most important of it in one line; empty for none.
    """

    figures: list[Figure]
    values: dict[str, Any] = field(default_factory=dict)
    headline: str = ""


class Insight(abc.ABC):
    """One way to look into a trained model.

    Options are the keyword-only arguments of the constructor; modules import nothing heavier than
    NumPy, since settings are checked by them.

    Attributes:
        title: how the report calls it.
        rows: it looks at so many evaluated rows at most.
    """

    title: ClassVar[str]
    rows: int

    @abc.abstractmethod
    def find(
        self, model: "InsightModel", rows: "EvaluatedRows", progress: Callable[[str], None]
    ) -> Findings:
        """Looks.

        Args:
            model: the candidate, as it was exported.
            rows: of the evaluated split, drawn at random.
            progress: is told how far it is.

        Raises:
            NotThere: there is nothing of the kind to look at.
        """
