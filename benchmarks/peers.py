"""Examples per second of training steps beside those of public PyTorch code, same sizes, one run.

    python -m benchmarks.peers --sources PEERS --python TORCH/bin/python
    python -m benchmarks.peers --sources PEERS --python TORCH/bin/python mmoe ple --batch 8192

`PEERS` is a folder with the peers' repositories, each under its own name:

    git clone https://github.com/datawhalechina/torch-rechub PEERS/torch-rechub
    git clone https://github.com/reczoo/FuxiCTR PEERS/FuxiCTR
    git clone https://github.com/Applied-Machine-Learning-Lab/M3oE PEERS/M3oE

`TORCH` is an environment with PyTorch and what they import, and nothing of this project:

    python3.10 -m venv TORCH
    TORCH/bin/pip install torch numpy pandas scikit-learn tqdm pyyaml
    TORCH/bin/pip install h5py polars keras_preprocessing

Each side takes the steps of its own trainer on one batch in memory, by turns, each in a process of
its own that keeps its threads while the other waits. 20 fields of 1,000 ids and width 16; DIN reads
two sequences of 50. Widths are those of this project's defaults on both sides; what a library puts
between them stays: batch normalisation in torch-rechub, layer normalisation in M3oE on both sides,
clipped gradients in FuxiCTR. The peers compute in float32, as their code does.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from benchmarks.step_models import TASKS, batch_of, inputs_of, settings_of
from benchmarks.step_time import POLICIES
from benchmarks.trainer_step import trainer_step
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.settings import ModelSettings

#: Models by name, and the peers that have them.
MODELS: dict[str, tuple[str, ...]] = {
    "shared_bottom": ("torch-rechub", "FuxiCTR"),
    "mmoe": ("torch-rechub", "FuxiCTR"),
    "ple": ("torch-rechub", "FuxiCTR"),
    "din": ("torch-rechub", "FuxiCTR"),
    "esmm": ("torch-rechub",),
    "aitm": ("torch-rechub",),
    "m3oe": ("M3oE",),
}
#: Tasks of the models that do not have three.
NUMBER_OF_TASKS = {"din": 1, "esmm": 2, "m3oe": 2}
#: Ids of every field.
ROWS = 1000
#: Seconds after which the other side's threads no longer spin.
_PAUSE = 0.5


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    console = Console(width=120)
    precisions = list(POLICIES)
    head = ["model", "peer", "its examples/s", "parameters"]
    for precision in precisions:
        head += [f"ours, {precision}", "ratio [range]"]
    console.print("| " + " | ".join([*head, "parameters"]) + " |", soft_wrap=True)
    console.print("|" + "---|" * (len(head) + 1), soft_wrap=True)
    for name in arguments.models or MODELS:
        for peer in MODELS[name]:
            with _peer(arguments.python, arguments.sources) as ask:
                line = _measured(ask, peer, name, precisions, arguments)
            console.print(line, soft_wrap=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help=f"all by default: {', '.join(MODELS)}")
    parser.add_argument("--sources", type=Path, required=True, help="folder of the repositories")
    parser.add_argument("--python", type=Path, required=True, help="a Python that has PyTorch")
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="timed steps of a turn")
    arguments = parser.parse_args()
    for name in arguments.models:
        if name not in MODELS:
            parser.error(f"no peer has {name}: choose from {', '.join(MODELS)}")
    for peer in dict.fromkeys(peer for name in arguments.models or MODELS for peer in MODELS[name]):
        if not (arguments.sources / peer).is_dir():
            parser.error(f"--sources: {arguments.sources / peer} is no folder; clone {peer} there")
    return arguments


_Ask = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def _peer(python: Path, sources: Path) -> Iterator[_Ask]:
    """Asks the peers' process for steps."""
    script = Path(__file__).with_name("peers_torch.py")
    command = [str(python), str(script), str(sources)]
    environment = dict(os.environ, TQDM_DISABLE="1")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the peers' process has no pipes")
        given, said = process.stdin, process.stdout

        def ask(question: dict[str, Any]) -> dict[str, Any]:
            given.write(json.dumps(question) + "\n")
            given.flush()
            answer = said.readline()
            if not answer:
                raise RuntimeError(f"the peers' process ended at {question}; its error is above")
            found: dict[str, Any] = json.loads(answer)
            return found

        yield ask
        given.close()


@dataclass(frozen=True)
class _Own:
    """This project's side of a comparison."""

    take: Callable[[], object]
    parameters: int

    def seconds(self, steps: int) -> list[float]:
        self.take()
        found = []
        for _ in range(steps):
            started = time.perf_counter()
            self.take()
            found.append(time.perf_counter() - started)
        return found


def _measured(
    ask: _Ask, peer: str, name: str, precisions: list[str], arguments: argparse.Namespace
) -> str:
    """A line of the table: the medians of all steps, and the ratios of the turns' medians."""
    size = arguments.batch
    question = {"peer": peer, "model": name, "steps": arguments.steps, "batch": size}
    own = {precision: _own_model(name, size, precision) for precision in precisions}
    theirs: list[list[float]] = []
    ours: dict[str, list[list[float]]] = {precision: [] for precision in precisions}
    parameters = 0
    for _ in range(arguments.turns):
        answer = ask(question)
        parameters = answer["parameters"]
        theirs.append(answer["seconds"])
        time.sleep(_PAUSE)
        for precision, model in own.items():
            ours[precision].append(model.seconds(arguments.steps))
            time.sleep(_PAUSE)
    cells = [name, peer, f"{size / _median(theirs):,.0f}", f"{parameters:,}"]
    for precision in precisions:
        ratios = sorted(
            statistics.median(other) / statistics.median(mine)
            for other, mine in zip(theirs, ours[precision], strict=True)
        )
        cells += [
            f"{size / _median(ours[precision]):,.0f}",
            f"{statistics.median(ratios):.2f}× [{ratios[0]:.2f}–{ratios[-1]:.2f}]",
        ]
    cells.append(f"{own[precisions[0]].parameters:,}")
    return "| " + " | ".join(cells) + " |"


def _median(turns: list[list[float]]) -> float:
    return statistics.median(second for turn in turns for second in turn)


def _own_model(name: str, size: int, precision: str) -> _Own:
    """This project's model of the same name and sizes."""
    keras.config.set_dtype_policy(POLICIES[precision])
    keras.utils.set_random_seed(1)
    try:
        settings = _settings(name)
        tasks = TASKS[: NUMBER_OF_TASKS.get(name, len(TASKS))]
        inputs = replace(inputs_of(ROWS, sequences=name == "din"), tasks=tasks)
        model = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
        take, _ = trainer_step(model, tasks, batch_of(inputs, size))
        take()
        parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
        return _Own(take, parameters)
    finally:
        keras.config.set_dtype_policy("float32")


def _settings(name: str) -> ModelSettings:
    """The default widths; DIN below one tower, as wide as the peers' network above it."""
    if name == "din":
        options = {"hidden": (256, 128)}
        return ModelSettings(network="single_task", options=options, sequence_encoder="din")
    return settings_of(name)


if __name__ == "__main__":
    main()
