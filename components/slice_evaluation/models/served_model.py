"""A SavedModel behind its serving signature: what is evaluated is what is served."""

import threading
from typing import Any

import numpy as np
import tensorflow as tf

from mtlx.components.slice_evaluation.models.model_reads import ModelReads, model_reads
from mtlx.trainer.serving.signatures import EXAMPLES_SIGNATURE

#: Room for rounding around [0, 1].
_TOLERANCE = 1e-5


class ServedModel:
    """Serialised raw examples to one probability per task.

    It is pickled as a path, and loaded once in each process that predicts.

    Args:
        name: ``candidate``, ``baseline``, ``reference`` or ``anchor``, for messages.
        path: of the SavedModel.
        tasks: names of the outputs that it must serve.
        regressions: tasks whose outputs are numbers, and no probabilities.
    """

    _loaded: dict[str, Any] = {}
    _lock = threading.Lock()

    def __init__(
        self,
        name: str,
        path: str,
        tasks: tuple[str, ...],
        regressions: frozenset[str] = frozenset(),
    ):
        self.name, self.path, self.tasks = name, path, tasks
        self.regressions = regressions

    @classmethod
    def forget_all(cls) -> None:
        """Frees this process' cache: models that are asked again are loaded again."""
        with cls._lock:
            cls._loaded.clear()

    def load(self) -> Any:
        """Loads the model, or returns it from this process' cache, and checks its outputs.

        Raises:
            ValueError: no SavedModel, no `EXAMPLES_SIGNATURE` on serialised examples, or a task
                that it does not serve.
        """
        model = self._model()
        if EXAMPLES_SIGNATURE not in model.signatures:
            raise ValueError(
                f"model {self.name!r} in {self.path} has no signature {EXAMPLES_SIGNATURE!r}; "
                f"it has {sorted(model.signatures)}"
            )
        signature = model.signatures[EXAMPLES_SIGNATURE]
        arguments = signature.structured_input_signature[1]
        if [argument.dtype for argument in arguments.values()] != [tf.string]:
            raise ValueError(
                f"model {self.name!r} in {self.path}: signature {EXAMPLES_SIGNATURE!r} takes "
                f"{', '.join(sorted(arguments)) or 'nothing'}; one tensor of serialised "
                "tf.Examples is expected"
            )
        missing = [task for task in self.tasks if task not in signature.structured_outputs]
        if missing:
            raise ValueError(
                f"model {self.name!r} in {self.path} does not serve task(s) {missing}; it serves "
                f"{sorted(signature.structured_outputs)}. Compare with a model that was trained "
                "for the same tasks"
            )
        return signature

    def reads(self) -> ModelReads:
        """What the model reads of an example.

        Raises:
            ValueError: as `load`; or the contract inside the model cannot be read.
        """
        signature = self.load()
        return model_reads(self.path, self._model(), signature)

    def predict(self, examples: list[bytes]) -> dict[str, np.ndarray]:
        """Predicts a batch.

        Args:
            examples: B serialised `tf.Example`.

        Returns:
            Per task ``(B,)`` float32; NaN where the model served no finite number.

        Raises:
            ValueError: the model fails on these examples, or an output is no probability, or
                not one per example.
        """
        signature = self.load()
        (argument,) = signature.structured_input_signature[1]
        try:
            outputs = signature(**{argument: tf.constant(examples, tf.string)})
        except tf.errors.OpError as error:
            raise ValueError(
                f"model {self.name!r} in {self.path} fails on these examples: {_cause(error)}"
            ) from error
        return {
            task: self._checked(task, outputs[task].numpy(), len(examples)) for task in self.tasks
        }

    def _model(self) -> Any:
        """The loaded SavedModel, from this process' cache.

        Raises:
            ValueError: no SavedModel, or one that cannot be loaded.
        """
        with ServedModel._lock:
            if self.path not in ServedModel._loaded:
                if not tf.saved_model.contains_saved_model(self.path):
                    raise ValueError(f"model {self.name!r}: no SavedModel in {self.path}")
                try:
                    ServedModel._loaded[self.path] = tf.saved_model.load(self.path)
                except (tf.errors.OpError, OSError) as error:
                    raise ValueError(
                        f"model {self.name!r} in {self.path} cannot be loaded: {error}"
                    ) from error
            return ServedModel._loaded[self.path]

    def _checked(self, task: str, values: np.ndarray, rows: int) -> np.ndarray:
        if values.size != rows:
            raise ValueError(
                f"model {self.name!r}, task {task!r}: output of shape {values.shape} for {rows} "
                "examples; one probability per example is expected"
            )
        values = values.reshape(rows).astype(np.float32)
        finite = np.isfinite(values)
        wrong = finite & ((values < -_TOLERANCE) | (values > 1 + _TOLERANCE))
        if wrong.any() and task not in self.regressions:
            raise ValueError(
                f"model {self.name!r}, task {task!r} served {values[wrong][0]}; a probability "
                "lies in [0, 1] (a logit would have to go through the sigmoid first)"
            )
        return np.where(finite, values, np.float32(np.nan))


def _cause(error: tf.errors.OpError) -> str:
    """The one line of TensorFlow's message that says what was wrong; it stands at the end."""
    skipped = ("Graph execution error", "Detected at", "File ", "[[", "[Op:")
    lines = [line.strip() for line in error.message.splitlines()]
    told = [line for line in lines if line and not line.startswith(skipped)]
    return (told[-1] if told else type(error).__name__).split(" [[")[0]
