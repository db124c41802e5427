"""The exported model as layers again, which predict fast and tell what they compute."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtlx.components.model_insight.feature_columns import feature_columns
from mtlx.components.side_by_side import usable_cores
from mtlx.trainer.layers.told import listening
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs

#: Rows of one call of the model.
_BATCH_ROWS = 4096
_PROBABILITIES = "probabilities"


class InsightModel:
    """A model to look into.

    Args:
        scorer: the model.
        contract: the data contract.
        inputs: what the model was built from.
        settings: what it was built by.

    Attributes:
        scorer: the model.
        contract: the data contract.
        inputs: what the model was built from.
        settings: what it was built by.
        tasks: names, in the order of all ``(N, T)``.
        regressions: names of the tasks whose labels, and outputs, are numbers.
        domains: names.
    """

    def __init__(
        self, scorer: Scorer, contract: DataContract, inputs: ModelInputs, settings: ModelSettings
    ) -> None:
        self.scorer, self.contract, self.inputs, self.settings = scorer, contract, inputs, settings
        self.tasks = [task.name for task in inputs.tasks]
        self.regressions = frozenset(inputs.regressions)
        self.domains = list(inputs.domains)
        self._keys = [*inputs.keys, DOMAIN_ID]
        self._functions: dict[tuple[str, ...], Callable[..., Mapping[str, tf.Tensor]]] = {}

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The model's inputs by the feature that they were made of."""
        return feature_columns(self.contract, self._keys)

    @property
    def gate_names(self) -> Mapping[str, list[str]]:
        """By task the experts that its gates weigh; empty for a model without gates."""
        names: Mapping[str, list[str]] = getattr(self.scorer, "gate_names", {})
        return names

    @property
    def parts(self) -> list[Any]:
        """The ranking models: one, or several in an arrangement; none of trees."""
        models: list[Any] = getattr(self.scorer, "models", [self.scorer])
        return [model for model in models if hasattr(model, "network")]

    def probabilities(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probabilities, or numbers, of all tasks ``(N, T)`` float32, for inputs ``(N, ...)``."""
        return self.told(features, (_PROBABILITIES,))[_PROBABILITIES]

    def told(
        self, features: Mapping[str, np.ndarray], names: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Outputs of the model.

        Args:
            features: its inputs by name, ``(N, ...)``.
            names: of the outputs, those of `mtlx.trainer.layers.told` included.

        Returns:
            Those that the model has, ``(N, ...)``.
        """
        read = [key for key in self._keys if key in features]
        if names not in self._functions:
            self._functions[names] = self._function({key: features[key] for key in read}, names)
        function = self._functions[names]

        def outputs(start: int) -> dict[str, np.ndarray]:
            batch = [features[key][start : start + _BATCH_ROWS] for key in read]
            return {name: values.numpy() for name, values in function(*batch).items()}

        starts = range(0, len(features[read[0]]), _BATCH_ROWS)
        # Much of a model's graph is not parallel in itself: many small operations in a row.
        with ThreadPoolExecutor(usable_cores()) as threads:
            parts = list(threads.map(outputs, starts))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _function(
        self, features: Mapping[str, np.ndarray], names: tuple[str, ...]
    ) -> Callable[..., Mapping[str, tf.Tensor]]:
        """One graph that computes the named outputs, and nothing else."""

        def outputs(*columns: tf.Tensor) -> dict[str, tf.Tensor]:
            batch = dict(zip(features, columns, strict=True))
            if names == (_PROBABILITIES,):
                found = self.scorer(batch, training=False)
            else:
                with listening():
                    found = self.scorer(batch, training=False)
            return {name: keras.ops.cast(found[name], "float32") for name in names if name in found}

        signature = [
            tf.TensorSpec([None, *values.shape[1:]], values.dtype) for values in features.values()
        ]
        function = tf.function(outputs, input_signature=signature, autograph=False)
        # Traced here, once, and not by several threads.
        found: Callable[..., Mapping[str, tf.Tensor]] = function.get_concrete_function()
        return found
