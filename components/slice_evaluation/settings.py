"""Settings of the slice evaluation: the `evaluation` section of the experiment file."""

from typing import Annotated

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS


class EvaluationSettings(Settings):
    """What is measured, on which rows, and how sure the intervals have to be.

    Attributes:
        slices: each entry is one cross of features, by name; ``domain`` stands for the data
            contract's domain feature. The overall slice is always measured. A row that lacks a
            value of one of the features is in the slice ``feature=(missing)``, so that the slices
            of a cross add up to overall; a value that itself reads ``(missing)`` is shown as
            ``((missing))``.
        user_key: feature whose rows are correlated (the user's id): intervals then treat a user's
            rows as one cluster (Obuchowski 1997). None treats rows as independent (DeLong 1988),
            and warns where the rows of one value of a categorical feature are alike.
        confidence: of the two-sided intervals, in (0, 1).
        split: of the raw examples; nothing else may have read it.
        batch_size: rows per call of a model; large, since parsing has a cost per call.
        maximum_slices: more slices than this are refused, since memory grows with them: a
            feature with one value per user is a `user_key` and no slice.
    """

    slices: list[Annotated[list[str], pydantic.Field(min_length=1)]] = [[DOMAIN_ALIAS]]
    user_key: str | None = None
    confidence: Annotated[float, pydantic.Field(gt=0.0, lt=1.0)] = 0.95
    split: str = "test"
    batch_size: pydantic.PositiveInt = 8192
    maximum_slices: pydantic.PositiveInt = 10_000
