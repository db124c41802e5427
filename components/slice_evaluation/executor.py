"""Runs the slice evaluation of `SliceEvaluation` on Beam."""

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
import tensorflow as tf
import tensorflow_model_analysis as tfma
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from mtlx.components.example_batches import ReadExamples, split_files
from mtlx.components.log_example_gen.spans.span_artifact import by_span
from mtlx.components.slice_evaluation.evaluation_columns import evaluation_columns
from mtlx.components.slice_evaluation.evaluation_config import build_eval_config
from mtlx.components.slice_evaluation.evaluator import slice_evaluator
from mtlx.components.slice_evaluation.extractors import (
    labels_extractor,
    predictions_extractor,
    slices_extractor,
)
from mtlx.components.slice_evaluation.known_labels import KnownLabels, with_unknown
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.models.compared_models import ComparedModels
from mtlx.components.slice_evaluation.models.model_seeds import seed_name
from mtlx.components.slice_evaluation.models.sampled_predictions import sample_writer
from mtlx.components.slice_evaluation.models.whole_float32 import whole_float32
from mtlx.components.slice_evaluation.results import write_description
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slice_count import check_slice_count
from mtlx.components.slice_evaluation.slices import SliceCross, resolve_crosses
from mtlx.components.slice_evaluation.statistics.roc_curve import roc_writer
from mtlx.components.slice_evaluation.statistics.shared_rows import (
    grouping_features,
    readable_features,
    shared_rows_writer,
)
from mtlx.components.slice_evaluation.statistics.slice_metrics import comparison_name
from mtlx.components.slice_evaluation.stored.reliability_curve import reliability_writer
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS
from mtlx.transform.contract.rows.weight import ROW_WEIGHT

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_beam_executor.BaseBeamExecutor):
    """Evaluates all models that are present; see `SliceEvaluation`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes TFMA's result files and the description beside them.

        Args:
            input_dict: ``examples``, ``candidate``, and ``baseline``, ``reference`` and
                ``anchor`` where there are such models.
            output_dict: ``evaluation``.
            exec_properties: ``data_contract`` and ``evaluation_settings``, JSON; ``whole`` where
                all splits of the examples test.

        Raises:
            SettingsError: a slice or the user key names no categorical feature.
            ValueError: the candidate does not serve a task, the split has no examples, an
                example lacks a label, or there are too many slices.
        """
        contract = contract_of(exec_properties)
        settings = EvaluationSettings.from_json(exec_properties["evaluation_settings"])
        crosses = resolve_crosses(settings, contract)
        known = KnownLabels.of(input_dict["examples"], contract)
        if exec_properties.get("whole"):
            tested = by_span(input_dict["examples"])
            groups = known.grouped(
                (one, split_files(_all_splits(one), "of the spans that test")) for one in tested
            )
        else:
            uris = _split_uris(input_dict["examples"], settings.split)
            groups = {(): split_files(uris, settings.split)}
        files = [file for some in groups.values() for file in some]
        check_slice_count(files, crosses, settings.maximum_slices, settings.batch_size)
        compared = ComparedModels.find(input_dict, contract, files)
        uri = artifact_utils.get_single_uri(output_dict["evaluation"])
        self._run(contract, settings, crosses, compared, groups, uri)
        domains = list(contract.domains) if contract.domain else []
        order = {DOMAIN_ALIAS: domains}
        if contract.domain is not None:
            order[contract.domain.feature] = domains
        # Written last: without it the evaluation does not count as finished.
        write_description(
            uri,
            compared.seeds.compared,
            tuple(contract.tasks),
            [cross.keys for cross in crosses],
            order,
            settings.confidence,
            settings.user_key,
            compared.incomparable,
            known.notices,
            settings.metrics,
            compared.seeds,
        )
        scored = list(compared.scored)
        logging.info("Evaluated %s on split %r, in %s", scored, settings.split, uri)

    def _run(
        self,
        contract: DataContract,
        settings: EvaluationSettings,
        crosses: list[SliceCross],
        compared: ComparedModels,
        groups: dict[tuple[str, ...], list[str]],
        uri: str,
    ) -> None:
        """Evaluates files, grouped by the tasks whose labels are not known in them."""
        models, tasks = compared.scored, contract.task_specs
        files = [file for some in groups.values() for file in some]
        groupings = []
        if settings.user_key is None:
            groupings = readable_features(grouping_features(contract), files)
        columns = evaluation_columns(
            contract, crosses, settings.user_key, groupings, settings.request_key
        )
        extractors = [
            labels_extractor(tasks),
            slices_extractor(crosses, settings.user_key, groupings, settings.request_key),
            predictions_extractor(models, tuple(contract.tasks)),
        ]
        evaluator = slice_evaluator(
            tuple(models),
            tuple(contract.tasks),
            settings.confidence,
            settings.maximum_slices,
            settings.user_key,
            groupings,
            contract,
            ChosenMetrics(settings.metrics),
            frozenset(task.name for task in tasks if task.is_regression),
            seeds=compared.seeds,
        )
        with whole_float32(), self._make_beam_pipeline() as pipeline:
            _ = (
                _read(pipeline, groups, columns, settings.batch_size)
                | "ExtractAndEvaluate"
                >> tfma.ExtractAndEvaluate(extractors=extractors, evaluators=[evaluator])
                | "WriteResults"
                >> tfma.WriteResults(writers=_writers(uri, compared, contract, crosses, files))
            )


def _read(
    pipeline: beam.Pipeline,
    groups: Mapping[tuple[str, ...], list[str]],
    columns: Mapping[str, tf.DType],
    batch_size: int,
) -> beam.PCollection:
    """Extracts of all groups' rows; those of a group know which labels are unknown."""
    parts = []
    for unknown, files in groups.items():
        suffix = f"Without {', '.join(unknown)}" if unknown else ""
        rows = ReadExamples(files, columns, batch_size, tfma.constants.ARROW_INPUT_COLUMN)
        part = pipeline | f"ReadExamples{suffix}" >> rows
        part = part | f"ToExtracts{suffix}" >> tfma.BatchedInputsToExtracts()
        if unknown:
            part = part | f"KnownLabels{suffix}" >> beam.Map(with_unknown, unknown)
        parts.append(part)
    return parts[0] if len(parts) == 1 else parts | "AllExamples" >> beam.Flatten()


def _writers(
    uri: str,
    compared: ComparedModels,
    contract: DataContract,
    crosses: list[SliceCross],
    files: list[str],
) -> list[tfma.writers.Writer]:
    """TFMA's own writers and that of the ROCs.

    Comparisons, and the seeds of a model, are listed as models, so that TFMA loads them by name.
    """
    models, seeds = compared.scored, compared.seeds
    weighed = ROW_WEIGHT if ROW_WEIGHT in contract.weight_columns else None
    config = build_eval_config(seeds.compared, contract.task_specs, crosses, weighed)
    locations = {name: models[name].path for name in seeds.compared}
    locations |= {comparison_name(name): models[name].path for name in seeds.compared[1:]}
    locations |= {
        seed_name(model, seed): models[name].path
        for model, names in seeds.by_model.items()
        for seed, name in names.items()
    }
    return [
        tfma.writers.MetricsPlotsAndValidationsWriter(
            output_paths={tfma.METRICS_KEY: f"{uri}/{tfma.METRICS_KEY}"},
            eval_config=config,
            output_file_format="tfrecord",
        ),
        tfma.writers.EvalConfigWriter(
            uri,
            eval_config=config,
            data_location=files[0].rsplit("/", 1)[0],
            data_file_format="tfrecords_gzip",
            model_locations=locations,
        ),
        roc_writer(uri),
        reliability_writer(uri),
        shared_rows_writer(uri),
        sample_writer(uri, tuple(contract.tasks)),
    ]


def _all_splits(examples: types.Artifact) -> list[str]:
    names = artifact_utils.decode_split_names(examples.split_names)
    return [artifact_utils.get_split_uri([examples], name) for name in names]


def _split_uris(examples: list[types.Artifact], split: str) -> list[str]:
    known = sorted(
        {
            name
            for artifact in examples
            for name in artifact_utils.decode_split_names(artifact.split_names)
        }
    )
    if split not in known:
        raise ValueError(
            f"evaluation.split: the examples have no split {split!r}; they have {known}"
        )
    return artifact_utils.get_split_uris(examples, split)
