"""AUC of models on the test rows of a day, whenever they were made."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import ml_metadata
from tfx.types import artifact_utils, standard_artifacts

from mtlx.components.slice_evaluation.executor import Executor
from mtlx.components.slice_evaluation.results import load_results
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    BASELINE,
    CANDIDATE,
    REFERENCE,
)
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.record.run_summary import Interval
from mtlx.transform.contract.contract_property import contract_config

#: The places that the evaluation has for models.
_PLACES = (CANDIDATE, BASELINE, REFERENCE, ANCHOR)


def score_models(
    experiment: Experiment,
    store: ml_metadata.MetadataStore,
    examples: Iterable[str],
    models: Mapping[str, str],
) -> dict[str, dict[str, Interval]]:
    """Evaluates models as the pipeline does, on all test rows, without slices.

    A model that reads features which the rows do not hold has no AUC.

    Args:
        experiment: whose test rows they are.
        store: knows the examples.
        examples: URIs of the raw examples that test.
        models: by any name the URI of a Model artifact, at most four.

    Returns:
        By name and task the AUC with its interval.
    """
    if not models:
        return {}
    tested = [one for uri in examples for one in store.get_artifacts_by_uri(uri)]
    kinds = store.get_artifact_types_by_id([one.type_id for one in tested])
    inputs = {
        "examples": [
            artifact_utils.deserialize_artifact(kind, one)
            for kind, one in zip(kinds, tested, strict=True)
        ]
    }
    places = dict(zip(models, _PLACES, strict=False))
    for name, place in places.items():
        model = standard_artifacts.Model()
        model.uri = models[name]
        inputs[place] = [model]
    settings = experiment.evaluation.model_copy(update={"slices": []})
    with tempfile.TemporaryDirectory() as folder:
        evaluation = standard_artifacts.ModelEvaluation()
        evaluation.uri = str(Path(folder) / "evaluation")
        properties = {
            **contract_config(experiment.contract),
            "evaluation_settings": settings.to_json(),
            "whole": experiment.data.window is not None,
        }
        Executor().Do(inputs, {"evaluation": [evaluation]}, properties)
        results = load_results(evaluation.uri)
    found: dict[str, dict[str, Interval]] = {name: {} for name in models}
    for name, place in places.items():
        for task in results.tasks:
            metric = results.metric(place, task)
            if metric is not None:
                found[name][task] = (metric.auc, metric.auc_lower, metric.auc_upper)
    return found
