"""Settings of Transform: the `transform` section."""

from typing import Literal

from mtlx.transform.config.settings import Settings


class TransformSettings(Settings):
    """What is made of the training split's analysis.

    Attributes:
        reuse: ``base_model`` keeps the numeric analysis (means, ranges, quantiles) of the model
            that `training.warm_start` begins with, so that the same raw number is the same number
            to the model as before; vocabularies are made anew. None makes all of it anew.
    """

    reuse: Literal["base_model"] | None = None
