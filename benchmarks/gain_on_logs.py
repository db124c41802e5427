"""What interests at the fields' size are worth on logs, and what the gain costs in a step.

    python -m benchmarks.gain_on_logs                      # AUC with it and without, 15 minutes
    python -m benchmarks.gain_on_logs --steps              # step times, two minutes

Interests out of a normalisation start at the embeddings' size, 0.01, by a trainable gain; without
it they stand at a root mean square of 1 beside the fields. An MMoE over DMT and over TIM is trained
on 60,000 simulated rows as in `benchmarks.training_settings`; the AUC is that of the epoch that the
validation split chooses, on the test split. Steps with and without are timed in turns.
"""

import argparse
import os
import statistics
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

ENCODERS = ("dmt", "tim")
WAYS = ("with the gain", "without")
ROUNDS, STEPS = 30, 10


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", action="append", choices=ENCODERS, help="these encoders")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", action="store_true", help="time steps instead")
    arguments = parser.parse_args()

    from benchmarks.training_settings import FOLDER, make_examples

    FOLDER.mkdir(parents=True, exist_ok=True)
    examples = make_examples("simulated", None)
    for encoder in arguments.encoder or ENCODERS:
        if arguments.steps:
            _time(encoder, examples)
            continue
        for way in WAYS:
            for seed in arguments.seeds:
                found = _train(encoder, way, examples, seed)
                aucs = " / ".join(f"{auc:.4f}" for auc in found["auc"].values())
                text = f"kept epoch {found['best_epoch']}, {found['seconds']:.0f} CPU s"
                print(f"| {encoder}, {way}, seed {seed} | {aucs} | {text} |", flush=True)


def _train(encoder: str, way: str, examples: Any, seed: int) -> dict[str, Any]:
    from benchmarks.training_settings import BASE, DATA, train

    training = {**BASE, **DATA["simulated"][2], "seed": seed}
    return train(examples, training, lambda: _model(encoder, way, examples))


def _model(encoder: str, way: str, examples: Any) -> Any:
    from benchmarks.training_settings import MODELS
    from trainer.ranking_model import RankingModel
    from trainer.settings import ModelSettings

    settings = ModelSettings.read({**MODELS["mmoe"], "sequence_encoder": encoder})
    model = RankingModel(examples.inputs, settings)
    if way == "without":
        model.gain = None
    return model


def _time(encoder: str, examples: Any) -> None:
    """Medians of a step's seconds, of both ways in turns in one process."""
    import tensorflow as tf

    from trainer.settings import TrainingSettings
    from trainer.train_step import TrainStep

    rows = {name: tf.constant(v[:2048]) for name, v in examples.splits["train"].items()}
    steps = []
    for way in WAYS:
        model = _model(encoder, way, examples)
        settings = TrainingSettings.read({"batch_size": 2048})
        step = TrainStep(model, examples.inputs.tasks, settings, tf.distribute.get_strategy())
        step.prepare(rows)
        step(rows)
        steps.append(step)
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for place, step in enumerate(steps):
            started = time.perf_counter()
            for _ in range(STEPS):
                step(rows).numpy()
            seconds[place].append((time.perf_counter() - started) / STEPS)
    ratio = statistics.median(one / two for one, two in zip(*seconds, strict=True))
    medians = ", ".join(
        f"{way} {1000 * statistics.median(found):.1f} ms"
        for way, found in zip(WAYS, seconds, strict=True)
    )
    print(f"{encoder}, batches of 2,048: {medians}, median ratio {ratio:.3f}", flush=True)


if __name__ == "__main__":
    main()
