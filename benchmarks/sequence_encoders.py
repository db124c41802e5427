"""What every sequence encoder hears of a planted sequence, as it is and as it was read before.

    python -m benchmarks.sequence_encoders                    # both tables, half an hour
    python -m benchmarks.sequence_encoders --only dmt --only bst

The first table has the AUC on 10,000 held-out rows after each of five epochs of 156 steps, where
the label follows whether the target is in the sequence; both seeds' mean. "Before" are the
options with which an encoder compares embeddings as they are. The second table has how much an
encoder's output changes at the start, relative to its RMS, when the target is exchanged.
"""

import argparse
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.planted_sequences import TARGET_IN_SEQUENCE, Learning
from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS

SCALES = (0.01, 0.25)
SEEDS = (1, 2)
EPOCHS = 5
_CROSS_ENTROPY = [{"name": "binary_cross_entropy"}]

#: Name in the table to encoder, its options, and those of before where they are compared.
ENCODERS: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None]] = {
    "mean_pooling": ("mean_pooling", {}, None),
    "din": ("din", {}, {"normalise": False}),
    "dien": ("dien", {}, {"normalise": False}),
    "bst": ("bst", {}, {"normalise": False}),
    "atrank": ("atrank", {}, {"normalise": False, "decoder": "attention"}),
    "dfn": ("dfn", {}, {"normalise": False, "added": "nothing"}),
    "dmt": ("dmt", {}, {"normalise": False}),
    "tim": ("tim", {}, {"normalise": False}),
    "tim, qkv": ("tim", {"condition": "qkv"}, None),
    "tim, ffn_1": ("tim", {"condition": "ffn_1"}, None),
    "tim, ffn_2": ("tim", {"condition": "ffn_2"}, None),
}


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(ENCODERS), help="these encoders")
    parser.add_argument("--learning-rate", type=float, default=0.004, help="of Adam")
    arguments = parser.parse_args()
    chosen = arguments.only or list(ENCODERS)
    console = Console()
    console.print(_learning_table(console, chosen, arguments.learning_rate))
    console.print(_change_table(chosen))


def _learning_table(console: Console, chosen: list[str], rate: float) -> Table:
    table = Table("encoder", "", title="AUC after each epoch")
    for scale in SCALES:
        table.add_column(f"embeddings at {scale}")
    for name in chosen:
        encoder, options, before = ENCODERS[name]
        kinds = [("now", options)]
        if before is not None:
            kinds.insert(0, ("before", {**options, **before}))
        for kind, given in kinds:
            # DIEN had no auxiliary loss before.
            loss = _CROSS_ENTROPY if kind == "before" else None
            cells = [_aucs(encoder, given, scale, loss, rate) for scale in SCALES]
            table.add_row(name, kind, *cells)
            console.print(name, kind, *cells)
    return table


def _aucs(
    encoder: str,
    options: dict[str, Any],
    scale: float,
    loss: list[dict[str, Any]] | None,
    rate: float,
) -> str:
    runs = []
    for seed in SEEDS:
        learning = Learning(
            TARGET_IN_SEQUENCE,
            encoder,
            options,
            scale=scale,
            seed=seed,
            loss=loss,
            learning_rate=rate,
        )
        runs.append([learning.epoch()[0] for _ in range(EPOCHS)])
    return " ".join(f"{value:.3f}".lstrip("0") for value in np.mean(runs, axis=0))


def _change_table(chosen: list[str]) -> Table:
    table = Table("encoder", title="Change of the output at the start, when the target is another")
    for scale in SCALES:
        table.add_column(f"before, {scale}", justify="right")
        table.add_column(f"now, {scale}", justify="right")
    for name in chosen:
        encoder, options, before = ENCODERS[name]
        if before is None:
            continue
        kinds = [{**options, **before}, options]
        cells = [f"{_change(encoder, kind, scale):.0%}" for scale in SCALES for kind in kinds]
        table.add_row(name, *cells)
    return table


def _change(encoder: str, options: dict[str, Any], scale: float) -> float:
    """RMS of the difference between the outputs for two targets, over the output's RMS."""
    keras.utils.set_random_seed(1)
    planted = TARGET_IN_SEQUENCE
    embedding = FieldEmbedding(planted.inputs, 16)
    columns, _ = planted.sample(1000, 1)
    rows = {name: tf.constant(values) for name, values in columns.items()}
    embedding(rows)
    embedding.table.assign(embedding.table * (scale / keras.ops.std(embedding.table)))
    layer = SEQUENCE_ENCODERS.build(encoder, options, planted.inputs)
    outputs = []
    for item in (rows["item"], tf.roll(rows["item"], 1, axis=0)):
        embedded = embedding({**rows, "item": item})
        outputs.append(np.asarray(layer(embedded.sequences, embedded.masks, embedded.target)))
    return float(np.sqrt(np.mean((outputs[0] - outputs[1]) ** 2) / np.mean(outputs[0] ** 2)))


if __name__ == "__main__":
    main()
