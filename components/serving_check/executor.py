"""Runs the check of `ServingCheck`."""

import dataclasses
import os
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from mtlx.components.example_batches import serialized_batches, split_files
from mtlx.components.model_pusher.model_files import copy_model
from mtlx.components.model_pusher.serving_folder.files import is_remote
from mtlx.components.serving_check.hostile_requests import hostile_requests
from mtlx.components.serving_check.infra_blessing import MODEL_PROPERTY, bless, model_with_warm_up
from mtlx.components.serving_check.judgement import judge_served, latencies_of
from mtlx.components.serving_check.process.serving_run import Work, serve
from mtlx.components.serving_check.request_rows import columns_of, without_labels
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.components.serving_check.warm_up import write_warm_up
from mtlx.components.slice_evaluation.models.sampled_predictions import (
    SAMPLED_ROWS,
    load_sampled_predictions,
)
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_executor.BaseExecutor):
    """Serves the model on trial; see `ServingCheck`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Checks the model, or says that the gate held it back.

        Args:
            input_dict: ``model``, ``examples`` and, where there are such, ``evaluation``,
                ``blessing``, ``served``.
            output_dict: ``infra_blessing``.
            exec_properties: ``serving_check`` and ``data_contract``, JSON; ``split``.

        Raises:
            OSError: the process cannot be started, or the model be copied.
            ValueError: there is no row to serve.
        """
        settings = ServingCheckSettings.from_json(exec_properties["serving_check"])
        contract = contract_of(exec_properties).served
        model = artifact_utils.get_single_instance(input_dict["model"])
        infra_blessing = artifact_utils.get_single_instance(output_dict["infra_blessing"])
        blessings = input_dict.get("blessing")
        if blessings and not model_utils.is_model_blessed(blessings[0]):
            bless(infra_blessing, model, blessed=False, checked=False)
            ServingOutcome(blessed=False, checked=False).save(infra_blessing.uri)
            logging.info("Not checked: the model was not blessed")
            return
        examples, evaluated = _rows(input_dict, exec_properties["split"])
        examples = without_labels(examples, contract)
        columns = columns_of(examples, contract)
        outcome = _check(input_dict, settings, contract, examples, columns, evaluated)
        bless(infra_blessing, model, outcome.blessed)
        if outcome.blessed and settings.warm_up_rows:
            infra_blessing.set_int_custom_property(MODEL_PROPERTY, 1)
            target = str(model_with_warm_up(infra_blessing))
            copy_model(_saved_model(model), target)
            rows = slice(settings.warm_up_rows)
            few = {name: values[rows] for name, values in columns.items()}
            written = write_warm_up(target, examples[rows], few, contract.request_side)
            outcome = dataclasses.replace(outcome, warm_up_requests=written)
        outcome.save(infra_blessing.uri)
        for finding in outcome.findings:
            logging.info("%s: %s", "met" if finding.passed else "BLOCKS", finding.message)


def _check(
    input_dict: Artifacts,
    settings: ServingCheckSettings,
    contract: DataContract,
    examples: list[bytes],
    columns: dict[str, np.ndarray],
    evaluated: dict[str, np.ndarray] | None,
) -> ServingOutcome:
    """Serves the model, and says what was found."""
    with tempfile.TemporaryDirectory(prefix="mtlx-served-") as folder:
        served = input_dict.get("served")
        work = Work(
            model=_local(input_dict["model"][0], os.path.join(folder, "candidate")),
            served=_local(served[0], os.path.join(folder, "served")) if served else None,
            examples=examples,
            columns=columns,
            rows=settings.rows,
            calls=settings.calls,
            limits=[limit.model_dump() for limit in settings.latency],
            request=list(contract.request_side),
            hostile=hostile_requests(examples, columns, contract),
        )
        found = serve(work, settings.timeout_seconds)
    takes_requests = bool(contract.request_side)
    findings = judge_served(found, evaluated, settings, takes_requests)
    return ServingOutcome(
        blessed=all(finding.passed for finding in findings),
        checked=True,
        findings=findings,
        latencies=latencies_of(found),
        seconds=found.seconds,
    )


def _rows(input_dict: Artifacts, split: str) -> tuple[list[bytes], dict[str, np.ndarray] | None]:
    """Serialised examples and what was evaluated for them; the first ones where none is known."""
    evaluations = input_dict.get("evaluation")
    sample = load_sampled_predictions(evaluations[0].uri) if evaluations else None
    if sample is not None and sample.examples:
        return sample.examples, sample.predictions
    uris = [
        path_of
        for artifact in input_dict["examples"]
        if split in artifact_utils.decode_split_names(artifact.split_names)
        for path_of in artifact_utils.get_split_uris([artifact], split)
    ]
    batches = serialized_batches(split_files(uris, split), SAMPLED_ROWS).take(1)
    examples = [example for batch in batches.as_numpy_iterator() for example in batch.tolist()]
    if not examples:
        raise ValueError(f"split {split!r} holds no row that the model could be served")
    return examples, None


def _saved_model(model: types.Artifact) -> str:
    """Folder or URI of a Trainer's SavedModel."""
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def _local(model: types.Artifact, folder: str) -> str:
    """The SavedModel on this machine: TensorFlow alone does not open every store."""
    path = _saved_model(model)
    if not is_remote(path):
        return path
    if tf.io.gfile.isdir(path):
        copy_model(path, folder)
    return folder
