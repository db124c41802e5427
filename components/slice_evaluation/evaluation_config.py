"""TFMA's eval_config of a slice evaluation: what another TFMA tool is told about the run."""

import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.components.slice_evaluation.statistics.slice_metrics import BASELINE
from mtlx.trainer.serving.signatures import EXAMPLES_SIGNATURE
from mtlx.transform.contract.model_inputs import TaskSpec

_STOCK_METRICS = ("AUC", "BinaryCrossEntropy", "Calibration", "ExampleCount")


def build_eval_config(
    models: tuple[str, ...], tasks: tuple[TaskSpec, ...], crosses: list[SliceCross]
) -> tfma.EvalConfig:
    """Returns the configuration with which TFMA's own evaluator measures the same.

    A population becomes an example weight, which is the 0 or 1 of the population's label; such
    tasks are in a metrics specification of their own, since a weight is asked for there. Slices
    are named by the feature in the examples, which `domain` is not.

    Args:
        models: names.
        tasks: all tasks.
        crosses: the configured slices.
    """
    labels = {task.name: task.label for task in tasks}
    populations = {task.name: labels[task.population] for task in tasks if task.population}
    config = tfma.EvalConfig()
    for name in models:
        specification = config.model_specs.add(
            name=name, signature_name=EXAMPLES_SIGNATURE, is_baseline=name == BASELINE
        )
        specification.label_keys.update(labels)
        specification.example_weight_keys.update(populations)
    config.slicing_specs.add()
    for cross in crosses:
        config.slicing_specs.add(feature_keys=cross.features)
    for task in tasks:
        specification = config.metrics_specs.add(output_names=[task.name], model_names=models)
        for metric in _STOCK_METRICS:
            specification.metrics.add(class_name=metric)
        if task.population:
            specification.example_weights.weighted = True
        else:
            specification.example_weights.unweighted = True
    return config
