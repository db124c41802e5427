"""The stock TFX chain: stock components with their default settings."""

from pathlib import Path

import tensorflow_model_analysis as tfma
from tfx import v1 as tfx

from mtlx.components.slice_evaluation.evaluation_config import build_eval_config
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import resolve_crosses
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.contract.data_contract import DataContract

#: Patterns under the folder of the logs.
SPLITS = {"train": "day=0[1-6]/*", "validation": "day=07/*", "test": "day=08/*"}


def create_stock_pipeline(
    logs: Path,
    folder: Path,
    contract: DataContract,
    model: ModelSettings,
    training: TrainingSettings,
    evaluation: EvaluationSettings,
) -> tfx.dsl.Pipeline:
    """Builds CsvExampleGen → … → Pusher; the Trainer's ``run_fn`` and model are ours.

    Args:
        logs: folder with ``day=XX/*.csv``.
        folder: for artifacts and metadata.
        contract: the data contract.
        model: the model.
        training: how it is trained.
        evaluation: slices.
    """
    splits = [tfx.proto.Input.Split(name=name, pattern=pattern) for name, pattern in SPLITS.items()]
    examples = tfx.components.CsvExampleGen(
        input_base=str(logs), input_config=tfx.proto.Input(splits=splits)
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="mtlx.transform.preprocessing.preprocessing_fn",
        custom_config={"data_contract": contract.to_json()},
    )
    trainer = tfx.components.Trainer(
        run_fn="mtlx.trainer.run_fn.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["validation"]),
        custom_config={
            "data_contract": contract.to_json(),
            "model": model.to_json(),
            "training": training.to_json(),
            "checkpoint_root": str(folder / "checkpoints"),
        },
    )
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        example_splits=["test"],
        eval_config=_eval_config(contract, evaluation),
    )
    destination = tfx.proto.PushDestination(
        filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(folder / "serving"))
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=destination,
    )
    return tfx.dsl.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(folder / "artifacts"),
        components=[examples, statistics, schema, transform, trainer, evaluator, pusher],
        enable_cache=False,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(folder / "metadata.sqlite")
        ),
    )


def _eval_config(contract: DataContract, evaluation: EvaluationSettings) -> tfma.EvalConfig:
    """The metrics and slices that SliceEvaluation computes; a bound far below lets all pass."""
    crosses = resolve_crosses(evaluation, contract)
    config = build_eval_config((CANDIDATE,), contract.task_specs, crosses)
    config.model_specs[0].name = ""
    for specification in config.metrics_specs:
        del specification.model_names[:]
    low = tfma.GenericValueThreshold(lower_bound={"value": 0.0})
    config.metrics_specs[0].metrics[0].per_slice_thresholds.add(
        slicing_specs=[tfma.SlicingSpec()], threshold=tfma.MetricThreshold(value_threshold=low)
    )
    return config
