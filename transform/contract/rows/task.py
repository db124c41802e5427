"""A task, as the experiment file has it."""

from typing import Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.rows.condition import Condition
from mtlx.transform.contract.rows.weight import AnyColumnWeight, without_unused

#: What a task's labels are: 0 and 1, or numbers.
Kind = Literal["binary", "regression"]
RegressionLoss = Literal["squared", "log_normal"]
#: What was not there in earlier versions, with what it is where nobody sets it.
_UNUSED = {"matures_after": 0, "kind": "binary", "loss": None, "weight": None}


class Task(Settings):
    """A user action to predict, or a number that comes of one.

    Attributes:
        label: column with 0 or 1; with ``kind: regression`` with numbers; or a condition on a
            column, such as ``{column: watch_seconds, at_least: 30}``, whose label is 1 where it
            holds.
        after: the task that must have happened before (purchase after click); a row with this
            label 1 and that one's 0 is refused unless `allow_without_parent`.
        population: the task whose label must be 1 for a row to count in this task's loss and
            metrics (click for post-click conversion); None for all rows.
        allow_without_parent: accept rows with this label 1 and the parent's 0.
        matures_after: so many spans of `data.window` later a label can be known: with 2, the labels
            of the newest span and of the one before are not. They are left out of this task's loss
            and metrics; the rows train and test the other tasks. Never fewer than those of the
            tasks named by `after` and `population`.
        weight: column with what a row counts for in this task's loss and metrics, times what
            `data.weight` says; None for 1. Or ``{column: NAME, clip: NUMBER}``.
        kind: ``binary``, or ``regression`` for a number, which is then served in its own unit.
        loss: of a regression: ``squared`` (the default), whose best prediction is the mean, or
            ``log_normal`` for numbers above 0 with a long tail, whose logarithm is taken for
            normal: what is served is the mean of that.
    """

    label: str | Condition
    after: str | None = None
    population: str | None = None
    allow_without_parent: bool = False
    matures_after: pydantic.NonNegativeInt = 0
    weight: AnyColumnWeight | None = None
    kind: Kind = "binary"
    loss: RegressionLoss | None = None

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is not used, so that nothing of an earlier version is made anew."""
        return without_unused(serialize(self), _UNUSED)

    @property
    def label_column(self) -> str:
        """The column that the label is told by."""
        return self.label.column if isinstance(self.label, Condition) else self.label

    @property
    def label_key(self) -> str:
        """Name under which the label travels: the column's, or the condition's words."""
        return self.label.words if isinstance(self.label, Condition) else self.label

    @property
    def is_regression(self) -> bool:
        """Whether labels are numbers."""
        return self.kind == "regression"
