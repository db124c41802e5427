"""TFMA's eval_config of a slice evaluation: what another TFMA tool is told about the run."""

import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.components.slice_evaluation.statistics.slice_metrics import BASELINE
from mtlx.trainer.serving.signatures import EXAMPLES_SIGNATURE
from mtlx.transform.contract.model_inputs import TaskSpec

_STOCK_METRICS = ("AUC", "BinaryCrossEntropy", "Calibration", "ExampleCount")
_STOCK_METRICS_OF_NUMBERS = ("MeanSquaredError", "Calibration", "ExampleCount")


def build_eval_config(
    models: tuple[str, ...],
    tasks: tuple[TaskSpec, ...],
    crosses: list[SliceCross],
    row_weight: str | None = None,
) -> tfma.EvalConfig:
    """Returns the configuration with which TFMA's own evaluator measures the same.

    A population becomes an example weight, which is the 0 or 1 of the population's label; such
    tasks are in a metrics specification of their own, since a weight is asked for there. Of tasks
    without population the rows' weights are one, the task's own where there are both: TFMA takes
    one column. Slices are named by the feature in the examples, which `domain` is not.

    Args:
        models: names.
        tasks: all tasks.
        crosses: the configured slices.
        row_weight: column of the rows' weights, or None.
    """
    labels = {task.name: task.label for task in tasks}
    weights = {
        task.name: labels[task.population] if task.population else task.weight or row_weight
        for task in tasks
    }
    given = {task: column for task, column in weights.items() if column}
    config = tfma.EvalConfig()
    for name in models:
        specification = config.model_specs.add(
            name=name, signature_name=EXAMPLES_SIGNATURE, is_baseline=name == BASELINE
        )
        specification.label_keys.update(labels)
        specification.example_weight_keys.update(given)
    config.slicing_specs.add()
    for cross in crosses:
        config.slicing_specs.add(feature_keys=cross.features)
    for task in tasks:
        specification = config.metrics_specs.add(output_names=[task.name], model_names=models)
        for metric in _STOCK_METRICS_OF_NUMBERS if task.is_regression else _STOCK_METRICS:
            specification.metrics.add(class_name=metric)
        if task.name in given:
            specification.example_weights.weighted = True
        else:
            specification.example_weights.unweighted = True
    return config
