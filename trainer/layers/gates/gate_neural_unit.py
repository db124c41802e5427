"""A gate that what is known beforehand opens or closes, unit by unit."""

import keras


class GateNeuralUnit(keras.layers.Layer):
    """δ = γ · sigmoid(ReLU(x W + b) W' + b'), every number in [0, γ] (PEPNet, Eqs. 2 and 3).

    With γ = 2 a gate starts near 1: it can double what it is multiplied with, or shut it.

    Shapes: ``(B, n)`` to ``(B, units)``.

    Args:
        units: how many numbers it gates.
        hidden: width of the layer between.
        factor: γ.
    """

    def __init__(self, units: int, hidden: int, factor: float = 2.0):
        super().__init__()
        self.factor = factor
        self.crossing = keras.layers.Dense(hidden, activation="relu")
        self.scoring = keras.layers.Dense(units, activation="sigmoid")

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Gates ``(B, units)``."""
        return self.factor * self.scoring(self.crossing(inputs))
