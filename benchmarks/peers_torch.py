"""The peers' side of `benchmarks.peers`: their models and training steps, in a Python with PyTorch.

Imports nothing of this project: it is run by another Python, with the folder of the peers' sources
as its only argument. Each line of standard input, ``{"peer", "model", "steps", "batch"}``, is
answered by a line of standard output, ``{"seconds", "parameters"}``: seconds of each step. A model
is made once and kept. Steps are those of the peers' own trainers, on one batch that is in memory.
"""

import json
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

FIELDS, ROWS, WIDTH, LENGTH = 20, 1000, 16, 50
DOMAINS = 3
NAMES = [f"field_{index}" for index in range(FIELDS)]
SEQUENCES = ("clicks", "buys")
EXPERT, TOWER = [256, 128], [128, 64]

Take = Callable[[int], object]


def main() -> None:
    sources = Path(sys.argv[1]).resolve()
    # What the peers print is not an answer.
    answers, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    made: dict[tuple[str, str, int], tuple[Take, int]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        key = (asked["peer"], asked["model"], asked["batch"])
        if key not in made:
            torch.manual_seed(1)
            made[key] = PEERS[asked["peer"]](sources, asked["model"], asked["batch"])
        take, parameters = made[key]
        seconds = _timed(take, asked["steps"])
        print(json.dumps({"seconds": seconds, "parameters": parameters}), file=answers, flush=True)


def _timed(take: Take, steps: int) -> list[float]:
    take(1)
    seconds = []
    for _ in range(steps):
        started = time.perf_counter()
        take(1)
        seconds.append(time.perf_counter() - started)
    return seconds


def _ids(batch: int) -> np.ndarray:
    return np.random.default_rng(0).integers(3, ROWS, (batch, FIELDS))


def _labels(batch: int, tasks: int) -> np.ndarray:
    """Each action only after the one before it, ``(batch, tasks)``."""
    random = np.random.default_rng(1)
    return np.cumprod(random.random((batch, tasks)) < 0.4, axis=1).astype("float32")


def _sequences(batch: int) -> dict[str, torch.Tensor]:
    random = np.random.default_rng(2)
    return {name: torch.as_tensor(random.integers(3, ROWS, (batch, LENGTH))) for name in SEQUENCES}


def _parameters(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def _bare_packages(root: Path, *names: str) -> None:
    """Packages without what their own files import: all of a library, and its installation."""
    sys.path.insert(0, str(root))
    for name in names:
        module = types.ModuleType(name)
        module.__path__ = [str(root / name.replace(".", "/"))]
        sys.modules[name] = module


def torch_rechub(sources: Path, name: str, batch: int) -> tuple[Take, int]:
    """torch-rechub's models and trainers."""
    _bare_packages(sources / "torch-rechub", "torch_rechub", "torch_rechub.models")
    from torch_rechub.basic.features import SequenceFeature, SparseFeature
    from torch_rechub.models import multi_task, ranking
    from torch_rechub.trainers.ctr_trainer import CTRTrainer
    from torch_rechub.trainers.mtl_trainer import MTLTrainer

    fields = [SparseFeature(field, ROWS, WIDTH) for field in NAMES]
    columns = dict(zip(NAMES, torch.as_tensor(_ids(batch)).T.contiguous(), strict=True))
    towers = [{"dims": TOWER} for _ in range(3)]
    three = ["classification"] * 3
    expert = {"dims": EXPERT}
    models: dict[str, Callable[[], torch.nn.Module]] = {
        "shared_bottom": lambda: multi_task.SharedBottom(
            fields, three, {"dims": [512, 256]}, towers
        ),
        "mmoe": lambda: multi_task.MMOE(fields, three, 8, expert, towers),
        "ple": lambda: multi_task.PLE(fields, three, 2, 2, 2, expert, towers),
        "esmm": lambda: multi_task.ESMM(
            fields[:10], fields[10:], {"dims": [360, 200, 80]}, {"dims": [360, 200, 80]}
        ),
        "aitm": lambda: multi_task.AITM(
            fields, 3, {"dims": [128, 64, 32]}, [{"dims": []} for _ in range(3)]
        ),
        "din": lambda: ranking.DIN(
            fields[1:],
            [
                SequenceFeature(name, ROWS, WIDTH, pooling="concat", shared_with=NAMES[0])
                for name in SEQUENCES
            ],
            # One target for each sequence.
            [fields[0], SparseFeature("again", ROWS, WIDTH, shared_with=NAMES[0])],
            {"dims": EXPERT},
            {"dims": [80, 40]},
        ),
    }
    model = models[name]()
    if name == "din":
        columns |= _sequences(batch) | {"again": columns[NAMES[0]]}
        data = (columns, torch.as_tensor(_labels(batch, 1)[:, 0]))
        alone = CTRTrainer(model)
        return lambda steps: alone.train_one_epoch([data] * steps), _parameters(model)
    labels = _labels(batch, 3)
    if name == "esmm":
        # What its trainer reads: conversion (without a loss), click, and both.
        labels = labels[:, [1, 0, 1]]
    several = MTLTrainer(model, three)
    pair = (columns, torch.as_tensor(labels))
    return lambda steps: several.train_one_epoch([pair] * steps), _parameters(model)


def fuxictr(sources: Path, name: str, batch: int) -> tuple[Take, int]:
    """FuxiCTR's models of its model zoo, and its base models' training step."""
    zoo = sources / "FuxiCTR" / "model_zoo"
    folder, kind = {
        "shared_bottom": ("multitask/ShareBottom", "ShareBottom"),
        "mmoe": ("multitask/MMoE", "MMoE"),
        "ple": ("multitask/PLE", "PLE"),
        "din": ("DIN", "DIN"),
    }[name]
    sys.path[:0] = [str(sources / "FuxiCTR"), str(zoo / folder / "src")]
    from fuxictr.features import FeatureMap

    tasks = ["click"] if name == "din" else ["click", "cart", "buy"]
    features = FeatureMap("peers", ".")
    features.labels, features.default_emb_dim = tasks, WIDTH
    for field in NAMES:
        features.features[field] = {"type": "categorical", "source": "", "vocab_size": ROWS}
    for sequence in SEQUENCES if name == "din" else ():
        features.features[sequence] = {
            "type": "sequence",
            "source": "",
            "vocab_size": ROWS,
            "max_len": LENGTH,
            "share_embedding": NAMES[0],
        }
    features.num_fields = features.get_num_fields()
    own: dict[str, dict[str, Any]] = {
        "shared_bottom": {"bottom_hidden_units": [512, 256], "tower_hidden_units": TOWER},
        "mmoe": {
            "num_experts": 8,
            "expert_hidden_units": EXPERT,
            "gate_hidden_units": [],
            "tower_hidden_units": TOWER,
        },
        "ple": {
            "num_layers": 2,
            "num_shared_experts": 2,
            "num_specific_experts": 2,
            "expert_hidden_units": EXPERT,
            "gate_hidden_units": [],
            "tower_hidden_units": TOWER,
        },
        "din": {
            "dnn_hidden_units": EXPERT,
            "attention_hidden_units": [80, 40],
            "din_target_field": [NAMES[0], NAMES[0]],
            "din_sequence_field": list(SEQUENCES),
        },
    }
    options: dict[str, Any] = own[name] | {"embedding_dim": WIDTH, "optimizer": "adam"}
    options |= {"loss": "binary_crossentropy", "metrics": [], "verbose": 0, "model_root": "."}
    if name != "din":
        options |= {"num_tasks": 3, "task": ["binary_classification"] * 3}
    else:
        options |= {"task": "binary_classification"}
    model = getattr(__import__(kind), kind)(features, **options)
    model._max_gradient_norm = 10.0  # Its `fit` sets it.
    model.train()
    columns = dict(zip(NAMES, torch.as_tensor(_ids(batch)).T.contiguous(), strict=True))
    if name == "din":
        columns |= _sequences(batch)
    labels = torch.as_tensor(_labels(batch, 3))
    columns |= {task: labels[:, place] for place, task in enumerate(tasks)}
    return lambda steps: [model.train_step(dict(columns)) for _ in range(steps)], _parameters(model)


def m3oe(sources: Path, name: str, batch: int) -> tuple[Take, int]:
    """M3oE's released model and trainer: three domains, two tasks."""
    sys.path.insert(0, str(sources / "M3oE"))
    from MDMTRec.basic.features import SparseFeature
    from MDMTRec.models.multi_domain.model import MDMTRec
    from MDMTRec.trainers.ctr_trainer import CTRTrainer

    # The domain is the last column, and no field.
    features = [SparseFeature(field, ROWS, WIDTH) for field in range(FIELDS)]
    model = MDMTRec(features, DOMAINS, 2, [512, 256, 256, 64], 4, 1.0, 1.0, 1.0, 1.0)
    trainer = CTRTrainer(model, optimizer_params_darts={"lr": 1e-3})
    domain = np.random.default_rng(3).integers(0, DOMAINS, (batch, 1))
    rows = torch.as_tensor(np.concatenate([_ids(batch), domain], axis=1))
    data = (rows, torch.as_tensor(_labels(batch, 2)))
    return (
        lambda steps: trainer.train_one_epoch([data] * steps, DOMAINS, 2),
        _parameters(model),
    )


PEERS = {"torch-rechub": torch_rechub, "FuxiCTR": fuxictr, "M3oE": m3oe}

if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    main()
