"""Census-Income's two networks over several seeds: AUC of what the validation split selected.

    python -m benchmarks.census_income --data DIR
    python -m benchmarks.census_income --data DIR --seeds 1 --set training.batch_size=512

DIR holds census-income-kdd/. Ingestion and Transform of `configs/census_income.yaml` run once,
through the pipeline's own nodes; then its reference (PLE) and its candidate (DTN) are trained with
every seed, as the Trainer trains them. The test split is read after the last epoch of a training
alone; settings are to be compared by the validation AUC, which is printed beside. `--set` changes
settings as for `mtlx run`.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow_transform as tft  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from mtlx.components.one_pass_transform.example_transformer import transform_file  # noqa: E402
from mtlx.pipeline.experiment.experiment import Experiment  # noqa: E402
from mtlx.pipeline.experiment.experiment_file import read_experiment  # noqa: E402
from mtlx.pipeline.experiment.reference_training import trainings  # noqa: E402
from mtlx.trainer.examples.input import ExampleSet  # noqa: E402
from mtlx.trainer.examples.labels import labels_and_mask  # noqa: E402
from mtlx.trainer.model.build_model import build_model  # noqa: E402
from mtlx.trainer.settings import ModelSettings, TrainingSettings  # noqa: E402
from mtlx.trainer.training.checkpoint import CheckpointFolder  # noqa: E402
from mtlx.trainer.training.job import TrainingJob, TrainingResult  # noqa: E402
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of  # noqa: E402
from mtlx.trainer.validation.measure import measure  # noqa: E402
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs  # noqa: E402
from mtlx.transform.contract.model_inputs import ModelInputs  # noqa: E402

CONFIG = Path(__file__).parents[1] / "configs" / "census_income.yaml"
ROOT = Path("var/benchmarks/census_income")
_PREDICTED = 8192


@dataclass(frozen=True)
class Prepared:
    """What the networks are trained and tested on.

    Attributes:
        inputs: of the models.
        sets: transformed examples by split.
    """

    inputs: ModelInputs
    sets: dict[str, ExampleSet]


@dataclass(frozen=True)
class Found:
    """AUCs by task of the weights that one training kept.

    Attributes:
        validation: on the split that selected them.
        test: on the other half.
    """

    validation: list[float]
    test: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder that holds census-income-kdd/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--nodes", nargs="+", default=["ReferenceTrainer", "Trainer"])
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--results", type=Path, help="write mean test AUCs to this file, as JSON")
    arguments = parser.parse_args()
    os.environ["MTLX_DATA"] = str(Path(arguments.data).absolute())
    ROOT.mkdir(parents=True, exist_ok=True)
    root = f"run.pipeline_root={ROOT.absolute()}"
    experiment = read_experiment(CONFIG, [*arguments.overrides, root])
    with tempfile.TemporaryDirectory() as folder:
        prepared = _prepared(experiment.anchored(), Path(folder))
        found: dict[str, list[Found]] = {}
        for node, model, training in trainings(experiment):
            for seed in arguments.seeds if node in arguments.nodes else ():
                seeded = training.model_copy(update={"seed": seed})
                found.setdefault(model.network, []).append(_train(prepared, model, seeded))
    _print(prepared.inputs, arguments.seeds, found)
    if arguments.results:
        names = [task.name for task in prepared.inputs.tasks]
        means = {
            network: dict(
                zip(names, np.mean([one.test for one in own], axis=0).tolist(), strict=False)
            )
            for network, own in found.items()
        }
        arguments.results.write_text(json.dumps(means), encoding="utf-8")


def _prepared(experiment: Experiment, folder: Path) -> Prepared:
    """Runs the pipeline's nodes up to Transform, and transforms the test split besides."""
    from tfx.dsl.compiler import compiler
    from tfx.orchestration import metadata

    from mtlx.pipeline.graph import graph
    from mtlx.pipeline.run import node_run

    connection = metadata.sqlite_metadata_connection_config(str(ROOT / "metadata.sqlite"))
    pipeline = compiler.Compiler().compile(
        graph.create_pipeline(experiment, str(ROOT.absolute() / "artifacts"), connection)
    )
    node_run.bind_parameters(pipeline, f"{time.time():.0f}")
    outputs: dict[str, dict[str, list[str]]] = {}
    for node in node_run.node_ids(pipeline):
        outputs[node] = node_run.run_node(pipeline, node).outputs
        if node == "Transform":
            break
    (graph_folder,) = outputs["Transform"]["transform_graph"]
    transformed = tft.TFTransformOutput(graph_folder)
    (examples,) = outputs["LogExampleGen"]["examples"]
    for index, file in enumerate(tf.io.gfile.glob(f"{examples}/Split-test/*")):
        transform_file((file, f"{folder}/test-{index}.gz"), graph_folder, f"{folder}/unfinished")
    (done,) = outputs["Transform"]["transformed_examples"]
    patterns = {name: f"{done}/Split-{name}/*" for name in ("train", "validation")}
    patterns["test"] = f"{folder}/test-*.gz"
    spec, rows = transformed.transformed_feature_spec(), experiment.training.shuffle_rows
    sets = {name: ExampleSet([path], spec, rows, True) for name, path in patterns.items()}
    for name in sets:
        for _ in sets[name].in_order(rows):  # Into memory.
            pass
    return Prepared(build_model_inputs(experiment.contract, transformed), sets)


def _train(prepared: Prepared, model: ModelSettings, training: TrainingSettings) -> Found:
    """Trains once, and tests the weights that the validation split selected."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            training,
            prepared.inputs,
            lambda: build_model(prepared.inputs, model),
            prepared.sets["train"],
            prepared.sets["validation"],
            CheckpointFolder(folder, "checkpoint"),
            tf.distribute.get_strategy(),
        )
        method = method_of(model, training)
        result = TRAINING_METHODS.build(method, training.method_options, job).train()
    history = result.history
    kept = history.epochs[history.best_epoch - 1]["validation_auc"]
    found = Found(
        [kept[task.name] for task in prepared.inputs.tasks],
        _test(prepared, result, result.build_model or job.build_model),
    )
    seconds = time.process_time() - started
    print(
        f"{model.network}, seed {training.seed}: test {_joined(found.test)}, validation "
        f"{_joined(found.validation)}; {history.parameters:,} parameters, {seconds:,.0f} s of "
        f"processor time. {history.kept}",
        flush=True,
    )
    return found


def _joined(aucs: list[float]) -> str:
    return " / ".join(f"{auc:.4f}" for auc in aucs)


def _test(prepared: Prepared, result: TrainingResult, build: object) -> list[float]:
    network = build()
    for variable, value in zip(network.variables, result.weights, strict=True):
        variable.assign(value)
    predict = tf.function(lambda batch: network(batch, training=False), autograph=False)
    tasks, labels, masks, scores = prepared.inputs.tasks, [], [], []
    for batch in prepared.sets["test"].in_order(_PREDICTED):
        label, mask = labels_and_mask(batch, tasks)
        labels.append(label.numpy())
        masks.append(mask.numpy() > 0.5)
        scores.append(predict(batch)["probabilities"].numpy())
    label, mask, score = (np.concatenate(parts) for parts in (labels, masks, scores))
    keras.backend.clear_session()
    return [
        measure(label[mask[:, index], index], score[mask[:, index], index]).auc
        for index in range(len(tasks))
    ]


def _print(inputs: ModelInputs, seeds: list[int], found: dict[str, list[Found]]) -> None:
    columns = [f"seed {seed}" for seed in seeds]
    table = Table("network", "task", "split", *columns, "mean", title="AUC", title_justify="left")
    for network, trained in found.items():
        for index, task in enumerate(inputs.tasks):
            for split in ("validation", "test"):
                own = [getattr(each, split)[index] for each in trained]
                cells = [f"{auc:.4f}" for auc in [*own, np.mean(own)]]
                table.add_row(network, task.name, split, *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
