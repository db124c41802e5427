"""What interests at the fields' size are worth on logs.

    python -m benchmarks.gain_on_logs --encoder dmt        # five minutes of processor time

Interests out of a normalisation start at the embeddings' size, 0.01, by a trainable gain; without
it they stand at a root mean square of 1 beside the fields. An MMoE over DMT and over TIM is trained
on 60,000 simulated rows as in `benchmarks.training_settings`; the AUC is that of the epoch that the
validation split chooses, on the test split.
"""

import argparse
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

ENCODERS = ("dmt", "tim")
WAYS = ("with the gain", "without")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", action="append", choices=ENCODERS, help="these encoders")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()

    from benchmarks.training_settings import FOLDER, make_examples

    FOLDER.mkdir(parents=True, exist_ok=True)
    examples = make_examples("simulated", None)
    for encoder in arguments.encoder or ENCODERS:
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
    from mtlx.trainer.model.ranking_model import RankingModel
    from mtlx.trainer.settings import ModelSettings

    settings = ModelSettings.read({**MODELS["mmoe"], "sequence_encoder": encoder})
    model = RankingModel(examples.inputs, settings)
    if way == "without":
        model.gain = None
    return model


if __name__ == "__main__":
    main()
