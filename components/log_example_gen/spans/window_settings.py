"""Settings of a run over several portions of the logs: `data.window` and its split."""

from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings


class WindowSettings(Settings):
    """How many portions of the logs a model is made of.

    Spans are counted by their numbers or dates, whether or not the logs hold each of them.

    Attributes:
        train: so many spans before those that test train.
        test: so many of the newest spans test.
    """

    train: pydantic.PositiveInt
    test: pydantic.PositiveInt = 1


class SpanSplit(Settings):
    """By span: the spans of `data.window` train or test as a whole, and of the training rows some
    validate.

    Attributes:
        validation_share: share of the rows of every training span that validates.
        validation_key: feature or column whose rows stay together (say the user's id); each row
            on its own if None.
        seed: of the draw.
    """

    by: Literal["span"]
    validation_share: Annotated[float, pydantic.Field(gt=0.0, lt=1.0)] = 0.1
    validation_key: str | None = None
    seed: int = 1
