"""A served model for rows as a reader gives them: what it reads, and its scores."""

import threading
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.transform.contract.data_contract import DataContract

#: Rows that are predicted together.
BATCH_ROWS = 4096

#: An encoder must not be used by two threads at once.
_LOCAL = threading.local()


class ScoringModel:
    """A SavedModel behind its serving signature, loaded once in each process that scores.

    It is pickled as a path.

    Args:
        path: of the SavedModel.
        contract: of the experiment, for a model that holds no contract of its own.

    Attributes:
        path: likewise.
        tasks: that it serves, in the contract's order.
        contract: what the columns mean that it reads: those of its own contract that have a part
            in a prediction.

    Raises:
        ScoringRefused: it cannot be loaded, or reads features that no contract describes.
    """

    def __init__(self, path: str, contract: DataContract) -> None:
        self.path = path
        try:
            reads = ServedModel("served", path, ()).reads()
        except ValueError as error:
            raise ScoringRefused(str(error)) from error
        known = reads.contract or contract
        unknown = [name for name in reads.features if name not in known.features]
        if unknown:
            raise ScoringRefused(
                f"the model in {path} reads {', '.join(sorted(unknown))}, of which neither it nor "
                "the experiment says from which column: add the features to the experiment, or "
                "take a model that was trained for it"
            )
        self.tasks = tuple(
            [task for task in known.tasks if task in reads.outputs]
            + [output for output in reads.outputs if output not in known.tasks]
        )
        self.contract = known.model_copy(
            update={"features": {n: f for n, f in known.features.items() if n in reads.features}}
        )

    def scores(self, examples: pa.RecordBatch) -> dict[str, np.ndarray]:
        """Predicts rows.

        Args:
            examples: ``(n, ...)`` checked rows, see `CheckedRows.examples`.

        Returns:
            By task ``(n,)`` float32; NaN where the model served no finite number.

        Raises:
            ScoringRefused: the model fails on them, or gives what is no probability.
        """
        return self.scores_of(encoded_examples(examples))

    def scores_of(self, encoded: Iterable[list[bytes]]) -> dict[str, np.ndarray]:
        """Predicts rows that are serialised, batch by batch.

        Args:
            encoded: batches of `tf.Example`s.

        Returns:
            As `scores`.

        Raises:
            ScoringRefused: as `scores`.
        """
        served = ServedModel("served", self.path, self.tasks, self.contract.regressions)
        parts: dict[str, list[np.ndarray]] = {
            task: [np.zeros(0, np.float32)] for task in self.tasks
        }
        try:
            for batch in encoded:
                for task, values in served.predict(batch).items():
                    parts[task].append(values)
        except ValueError as error:
            raise ScoringRefused(str(error)) from error
        return {task: np.concatenate(values) for task, values in parts.items()}


def encoded_examples(examples: pa.RecordBatch) -> Iterator[list[bytes]]:
    """Serialised `tf.Example`s, `BATCH_ROWS` at a time."""
    if not hasattr(_LOCAL, "encoder"):
        _LOCAL.encoder = RecordBatchToExamplesEncoder()
    for start in range(0, examples.num_rows, BATCH_ROWS):
        yield _LOCAL.encoder.encode(examples.slice(start, BATCH_ROWS))
