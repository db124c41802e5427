"""Several embedding tables: encoder and bottom see each table's vectors as rows of their own."""

import keras
from keras import ops

from mtlx.trainer.layers.field_embedding import EmbeddedFeatures
from mtlx.trainer.layers.told import Told


def tables_as_rows(embedded: EmbeddedFeatures, tables: int) -> EmbeddedFeatures:
    """Vectors of all tables side by side, ``(B, ..., n·k)``, as rows ``(B·n, ..., k)``.

    So an encoder has the same weights for every table, and none sees two tables at once. The n rows
    that were one follow each other.

    Args:
        embedded: what the embedding gives.
        tables: n; with 1 nothing is done.

    Returns:
        Fields, sequences, masks and target of B·n rows; `field_ids` of B.
    """
    if tables == 1:
        return embedded
    masks = {name: ops.repeat(mask, tables, axis=0) for name, mask in embedded.masks.items()}
    sequences = {name: _rows(values, tables) for name, values in embedded.sequences.items()}
    target = None if embedded.target is None else _rows(embedded.target, tables)
    return EmbeddedFeatures(
        _rows(embedded.fields, tables), embedded.field_ids, sequences, masks, target
    )


def rows_as_tables(
    told: Told, fields: keras.KerasTensor, losses: dict[str, keras.KerasTensor], tables: int
) -> tuple[Told, keras.KerasTensor, dict[str, keras.KerasTensor]]:
    """What came of the rows that `tables_as_rows` made, for B rows again.

    Args:
        told: what an encoder told of B·n rows.
        fields: ``(B·n, F, k)``.
        losses: of the encoder, ``(B·n,)``.
        tables: n; with 1 nothing is done.

    Returns:
        What was told of the last table, fields ``(B, n, F, k)`` and each loss's mean over tables.
    """
    if tables == 1:
        return told, fields, losses
    last = {
        name: [(places, _apart(values, tables)[:, -1]) for places, values in entries]
        for name, entries in told.items()
    }
    means = {name: ops.mean(_apart(values, tables), axis=1) for name, values in losses.items()}
    return last, _apart(fields, tables), means


def _rows(values: keras.KerasTensor, tables: int) -> keras.KerasTensor:
    """``(B, ..., n·k)`` to ``(B·n, ..., k)``."""
    width = values.shape[-1] // tables
    apart = ops.reshape(values, (-1, *values.shape[1:-1], tables, width))
    if len(values.shape) > 2:
        apart = ops.moveaxis(apart, -2, 1)  # (B, n, ..., k)
    return ops.reshape(apart, (-1, *values.shape[1:-1], width))


def _apart(values: keras.KerasTensor, tables: int) -> keras.KerasTensor:
    """``(B·n, ...)`` to ``(B, n, ...)``."""
    return ops.reshape(values, (-1, tables, *values.shape[1:]))
