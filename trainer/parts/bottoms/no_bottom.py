"""The bottom that changes nothing."""

import keras

from mtlx.trainer.parts.bottoms.bottom import Bottom, join
from mtlx.transform.contract.model_inputs import ModelInputs


class NoBottom(Bottom):
    """Fields and interests as they are, the interests as further fields.

    Args:
        inputs: not used.
    """

    def __init__(self, inputs: ModelInputs):
        super().__init__()

    def call(
        self,
        fields: keras.KerasTensor,
        interests: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> keras.KerasTensor:
        """See Bottom."""
        return join(fields, interests)
