"""Trains a model, or evaluates it, as the pipeline's nodes would.

    python -m mtlx.pipeline.trainings.work TASK.json LOG

A process of its own, so that a model which takes all memory takes nothing but itself away.
"""

import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

import tensorflow_transform as tft  # noqa: E402
from tfx.components.trainer.fn_args_utils import FnArgs  # noqa: E402
from tfx.types import standard_artifacts  # noqa: E402
from tfx.utils import json_utils  # noqa: E402

from mtlx.components.slice_evaluation.executor import Executor  # noqa: E402
from mtlx.components.slice_evaluation.statistics.slice_metrics import (  # noqa: E402
    CANDIDATE,
    REFERENCE,
)
from mtlx.pipeline.catalogue.parameter_count import count_for  # noqa: E402
from mtlx.pipeline.process.run_log import run_log  # noqa: E402
from mtlx.pipeline.trainings.epochs_line import epochs_line  # noqa: E402
from mtlx.pipeline.trainings.matched_size import matched  # noqa: E402
from mtlx.pipeline.trainings.processes import end_with_parent  # noqa: E402
from mtlx.pipeline.trainings.task import (  # noqa: E402
    FAILED_FILE,
    TRAINED_FILE,
    Evaluation,
    Prepared,
    Training,
    Trial,
    write_whole,
)
from mtlx.trainer.repeats.repeats_record import REPEATS_FOLDER  # noqa: E402
from mtlx.trainer.run_config import run_config  # noqa: E402
from mtlx.trainer.run_fn import run_fn, validate_fn  # noqa: E402
from mtlx.trainer.settings import ModelSettings, TrainingSettings  # noqa: E402
from mtlx.trainer.validation.history import HISTORY_FILE, read_history  # noqa: E402
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs  # noqa: E402
from mtlx.transform.contract.contract_property import contract_config  # noqa: E402
from mtlx.transform.contract.data_contract import DataContract  # noqa: E402


def train(task: Training, folder: Path) -> None:
    """Trains from all seeds, and writes `TRAINED_FILE` last; an interrupted one goes on.

    Args:
        task: what is trained.
        folder: of the training.

    Raises:
        ValueError: the widths cannot be matched, or the model cannot take the contract.
        TrainingDiverged: the loss is no number any more.
    """
    contract = DataContract.read(json.loads(task.contract))
    model = ModelSettings.read(json.loads(task.model))
    training = TrainingSettings.read(json.loads(task.training))
    graph, made = task.prepared.transform_graph, folder / "model"
    inputs = build_model_inputs(contract, tft.TFTransformOutput(graph))
    factor = None
    if task.parameters is not None:
        model, factor = matched(inputs, model, task.parameters)
    count = count_for(inputs, model)
    run_fn(
        FnArgs(
            train_files=_files(task.prepared, "train"),
            eval_files=_files(task.prepared, "validation"),
            transform_output=graph,
            transform_graph_path=graph,
            serving_model_dir=str(made / "Format-Serving"),
            model_run_dir=str(folder / "run"),
            custom_config=run_config(contract, model, training, str(folder / "checkpoints")),
        )
    )
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    histories = _histories(folder / "run")
    epochs = [epoch for one in histories for epoch in one["epochs"]]
    seconds = sum(epoch["seconds"] for epoch in epochs)
    write_whole(
        folder / TRAINED_FILE,
        {
            "parameters": histories[0]["parameters"],
            "embedding_parameters": count.embedding,
            "factor": factor,
            "seconds": seconds / len(histories),
            "rows_per_second": sum(e["examples"] for e in epochs) / seconds if seconds else None,
            "epochs": [one["best_epoch"] for one in histories],
        },
    )


def try_out(task: Trial, folder: Path) -> None:
    """Trains from one seed, and writes `TRAINED_FILE` last; an interrupted one goes on.

    After every epoch it prints a line with all of them so far, as `read_epochs` reads it.

    Args:
        task: what is trained.
        folder: of the training.

    Raises:
        ValueError: the model cannot take the contract.
        TrainingDiverged: the loss is no number any more.
    """
    graph, checkpoints = task.prepared.transform_graph, folder / "checkpoints"
    history = validate_fn(
        FnArgs(
            train_files=_files(task.prepared, "train"),
            eval_files=_files(task.prepared, "validation"),
            transform_output=graph,
            transform_graph_path=graph,
            custom_config=run_config(
                DataContract.read(json.loads(task.contract)),
                ModelSettings.read(json.loads(task.model)),
                TrainingSettings.read(json.loads(task.training)),
                str(checkpoints),
            ),
        ),
        lambda history: print(epochs_line(history.epochs), flush=True),
    )
    write_whole(
        folder / TRAINED_FILE,
        {
            "parameters": history.parameters,
            "seconds": sum(history.seconds.values()),
            "kept": history.best_epoch,
            "epochs": history.epochs,
        },
    )
    shutil.rmtree(checkpoints, ignore_errors=True)


def evaluate(task: Evaluation, folder: Path) -> None:
    """Evaluates with the pipeline's own component: means over seeds, intervals over users and them.

    Args:
        task: what is compared.
        folder: of the evaluation.
    """
    inputs = {"examples": json_utils.loads(task.prepared.tested)}
    for place, made in ((CANDIDATE, task.candidate), (REFERENCE, task.other)):
        if made is not None:
            artifact = standard_artifacts.Model()
            artifact.uri = str(Path(made) / "model")
            inputs[place] = [artifact]
    evaluation = standard_artifacts.ModelEvaluation()
    evaluation.uri = str(folder)
    properties = {
        **contract_config(DataContract.read(json.loads(task.contract))),
        "evaluation_settings": task.settings,
        "whole": task.prepared.whole,
    }
    Executor().Do(inputs, {"evaluation": [evaluation]}, properties)


def do(kind: str, values: dict[str, Any], folder: Path) -> None:
    """Does what a process is told; why it failed stands in `FAILED_FILE`.

    Args:
        kind: ``Training``, ``Trial`` or ``Evaluation``.
        values: of the task of that name.
        folder: of what is made.

    Raises:
        Exception: of training or evaluation.
    """
    prepared = Prepared(
        **{**values["prepared"], "transformed": tuple(values["prepared"]["transformed"])}
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FAILED_FILE).unlink(missing_ok=True)
    try:
        if kind == Training.__name__:
            train(Training(**{**values, "prepared": prepared}), folder)
        elif kind == Trial.__name__:
            try_out(Trial(**{**values, "prepared": prepared}), folder)
        else:
            evaluate(Evaluation(**{**values, "prepared": prepared}), folder)
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        write_whole(folder / FAILED_FILE, {"message": message})
        raise


def _files(prepared: Prepared, split: str) -> list[str]:
    return [f"{uri}/Split-{split}/*" for uri in prepared.transformed]


def _histories(run: Path) -> list[dict[str, Any]]:
    """Of every seed."""
    folders = sorted(path.parent for path in run.glob(f"{REPEATS_FOLDER}/*/{HISTORY_FILE}"))
    found = [read_history(str(folder)) for folder in folders or [run]]
    return [one for one in found if one is not None]


def main() -> None:
    """Of the process."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with run_log(Path(sys.argv[2]), lambda line: print(line, flush=True)):
        do(told["kind"], told["values"], Path(told["folder"]))


if __name__ == "__main__":
    main()
