"""Runs the component `Report`: loads what there is, renders it, writes one file."""

import datetime
import json
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from mtlx.components.report.artifact import write_report
from mtlx.components.report.render import render
from mtlx.components.report.report_data import ReportData
from mtlx.components.report.sections.window_view import joined_ingestion
from mtlx.components.report.settings import ReportSettings
from mtlx.components.report.sources import Sources

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_executor.BaseExecutor):
    """Writes the report; see `Report`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Loads, renders, writes.

        Args:
            input_dict: any of the component's inputs.
            output_dict: ``report``.
            exec_properties: ``settings`` and, where it is known, ``experiment``, JSON.

        Raises:
            ValueError: an input that is there cannot be read.
        """
        settings = ReportSettings.from_json(exec_properties["settings"])
        sources = Sources(input_dict)
        context = self._context
        name = context.pipeline_info.id if context and context.pipeline_info else "run"
        experiment = json.loads(exec_properties.get("experiment") or "{}")
        spans = sources.spans(experiment)
        data = ReportData(
            title=settings.title or name,
            run_id=context.pipeline_run_id if context else None,
            created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            verdict=sources.verdict(),
            served=sources.served(),
            results=sources.results(),
            rocs=sources.rocs(),
            reliability=sources.reliability(),
            best_possible=sources.best_possible(settings.best_possible, experiment),
            best_without=sources.best_without,
            trainings=sources.trainings(),
            statistics=sources.statistics(),
            anomalies=sources.anomalies(),
            ingestion=joined_ingestion(spans) if spans else sources.ingestion(),
            drift=sources.drift(),
            skew=sources.skew(),
            insight=sources.insight(),
            experiment=experiment,
            span=sources.span(),
            spans=spans,
            notices=tuple(sources.notices),
            max_cross_slices_shown=settings.max_cross_slices_shown,
        )
        uri = artifact_utils.get_single_uri(output_dict["report"])
        write_report(uri, render(data))
        logging.info("Report written to %s", uri)
