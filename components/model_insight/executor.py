"""Runs the component `ModelInsight`: rebuilds the model, reads rows, looks, writes one file."""

from typing import Any

import tensorflow_transform as tft
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from mtlx.components.model_insight.evaluated_files import evaluated_files
from mtlx.components.model_insight.evaluated_rows import EvaluatedRows, read_rows
from mtlx.components.model_insight.insight_model import InsightModel
from mtlx.components.model_insight.insight_result import FoundInsight, ModelInsights
from mtlx.components.model_insight.insights import INSIGHTS
from mtlx.components.model_insight.insights.insight import Insight, NotThere
from mtlx.components.model_insight.progress import Progress
from mtlx.components.model_insight.settings import InsightList
from mtlx.components.slice_evaluation.models.whole_float32 import whole_float32
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.warm_start.base_model import BaseModel
from mtlx.trainer.warm_start.rebuilt_model import rebuilt_model
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.contract_property import contract_of

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_executor.BaseExecutor):
    """Looks into a model; see `ModelInsight`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes what was found.

        Args:
            input_dict: ``examples``, ``model`` and ``transform_graph``.
            output_dict: ``insight``.
            exec_properties: ``data_contract`` and ``insights``, JSON; ``split``; ``whole`` where
                all splits of the examples test.

        Raises:
            BaseModelError: the model is of another release, or of another transform.
            ValueError: there are no rows.
        """
        contract = contract_of(exec_properties)
        asked = InsightList.model_validate_json(exec_properties["insights"]).root
        insights = {one.name: INSIGHTS.build(one.name, one.options) for one in asked}
        uri = artifact_utils.get_single_uri(output_dict["insight"])
        folder = artifact_utils.get_single_uri(input_dict["model"])
        transformed = tft.TFTransformOutput(
            artifact_utils.get_single_uri(input_dict["transform_graph"])
        )
        inputs = build_model_inputs(contract, transformed)
        groups = evaluated_files(
            input_dict["examples"],
            contract,
            exec_properties["split"],
            bool(exec_properties.get("whole")),
        )
        progress = Progress()
        with whole_float32():
            scorer = rebuilt_model(folder, inputs)
            model = InsightModel(scorer, contract, inputs, BaseModel(folder).record.model)
            served = ServedModel(scorer, transformed, contract)
            limit = max(insight.rows for insight in insights.values())
            rows = read_rows(groups, served, contract, limit, progress)
            found = [_look(name, one, model, rows, progress) for name, one in insights.items()]
        ModelInsights(total=rows.total, insights=found).save(uri)
        logging.info("Looked into the model on %d of %d rows", len(rows), rows.total)


def _look(
    name: str, insight: Insight, model: InsightModel, rows: EvaluatedRows, progress: Progress
) -> FoundInsight:
    """What one insight found, or why there is nothing to see."""
    seen = rows.first(insight.rows)
    logging.info("%s: looking at %s rows", insight.title, f"{len(seen):,}")
    try:
        findings = insight.find(model, seen, progress)
    except NotThere as error:
        logging.info("%s: %s", insight.title, error)
        return FoundInsight(name=name, title=insight.title, rows=len(seen), reason=str(error))
    return FoundInsight(
        name=name,
        title=insight.title,
        rows=len(seen),
        figures=findings.figures,
        values=findings.values,
        headline=findings.headline,
    )
