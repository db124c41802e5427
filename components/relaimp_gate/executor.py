"""Runs the gate of `RelaImpGate`."""

import dataclasses
import os
from typing import Any

from absl import logging
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from mtlx.components.relaimp_gate.driver import OLDER_THAN_SERVED, WITHDRAWN
from mtlx.components.relaimp_gate.gain import GAIN_PROPERTY, recorded_gain
from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.lineage import Lineage, lineage
from mtlx.components.relaimp_gate.seen.seen_by_models import SEEN_BY, SeenBy
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.relaimp_gate.verdict import Check, Verdict
from mtlx.components.slice_evaluation.results import (
    EvaluationResultError,
    SliceResults,
    load_results,
)
from mtlx.components.slice_evaluation.statistics.slice_metrics import ANCHOR, BASELINE, REFERENCE
from mtlx.transform.contract.contract_property import contract_of
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]

#: Property of a blessing that holds only with that of a `ServingCheck`.
NEEDS_SERVING_CHECK = "needs_serving_check"


class Executor(base_executor.BaseExecutor):
    """Writes the verdict, and the blessing as the stock Evaluator does; see `RelaImpGate`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Judges the candidate.

        Args:
            input_dict: ``evaluation``, ``model`` and, where there are such, ``baseline_model``,
                ``examples`` and, with a window, ``test_examples``.
            output_dict: ``blessing``.
            exec_properties: ``gate`` and ``data_contract``, JSON; ``serving_check``, 1 where the
                model has to pass one as well; and what the driver found.

        Raises:
            ValidationError: the settings are not those of a gate.
        """
        settings = GateSettings.from_json(exec_properties["gate"])
        contract = contract_of(exec_properties)
        older = exec_properties.get(OLDER_THAN_SERVED) or None
        seen_by = SeenBy(exec_properties.get(SEEN_BY))
        results, verdict = _verdict(input_dict, settings, contract, older, seen_by)
        if exec_properties.get(WITHDRAWN):
            verdict = _held_back(verdict, exec_properties[WITHDRAWN])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        verdict.save(blessing.uri)
        _bless(blessing, verdict, input_dict)
        if exec_properties.get("serving_check"):
            blessing.set_int_custom_property(NEEDS_SERVING_CHECK, 1)
        gain = recorded_gain(results) if results else None
        if gain is not None:
            blessing.set_float_custom_property(GAIN_PROPERTY, gain)
        # The checks themselves stand in the run's summary, the report and verdict.json.
        blocking = sum(not check.passed for check in verdict.checks)
        logging.info("%d of %d checks hold the candidate back", blocking, len(verdict.checks))


def _verdict(
    input_dict: Artifacts,
    settings: GateSettings,
    contract: DataContract,
    older: str | None,
    seen_by: SeenBy,
) -> tuple[SliceResults | None, Verdict]:
    """Judges; an evaluation that cannot be read, or is not of this baseline, blocks."""
    uri = artifact_utils.get_single_uri(input_dict["evaluation"])
    try:
        results = load_results(uri)
    except EvaluationResultError as error:
        return None, Verdict(False, None, [Check("evaluation", "*", "*", False, str(error))])
    known = (*results.models, *results.incomparable)
    if input_dict.get("baseline_model") and BASELINE not in known:
        message = (
            "there is a baseline model, but the evaluation does not hold it; give "
            "SliceEvaluation the same baseline as the gate"
        )
        blocked = [Check("evaluation", "*", "*", False, message)]
        return results, Verdict(False, None, blocked, notices=list(results.notices))
    seen = _lineage(input_dict, results, seen_by)
    # The model blessed last says it first; what serves may be of another store.
    seen = dataclasses.replace(seen, older=seen.older or older)
    return results, judge(results, settings, contract, seen)


def _held_back(verdict: Verdict, words: str) -> Verdict:
    """The verdict on a model that may not come back by itself, however good it is."""
    check = Check("withdrawn", "*", "*", False, words)
    return dataclasses.replace(verdict, blessed=False, checks=[*verdict.checks, check])


def _lineage(input_dict: Artifacts, results: SliceResults, seen_by: SeenBy) -> Lineage:
    """What the examples behind the models tell; the reference is trained on those of this run."""
    artifacts, tested = input_dict.get("examples"), input_dict.get("test_examples")
    today = SeenExamples.load_all(artifacts, tested or []) if artifacts else None
    sources = {BASELINE: seen_by.of("baseline"), REFERENCE: today, ANCHOR: seen_by.of("anchor")}
    known = (*results.models, *results.incomparable)
    others = {name: examples for name, examples in sources.items() if name in known}
    return lineage(today, others, seen_by.of("served"))


def _bless(blessing: types.Artifact, verdict: Verdict, input_dict: Artifacts) -> None:
    """Marks the blessing with what Pusher and Resolver read."""
    model = artifact_utils.get_single_instance(input_dict["model"])
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if input_dict.get("baseline_model"):
        baseline = artifact_utils.get_single_instance(input_dict["baseline_model"])
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    blessed = constants.BLESSED_VALUE if verdict.blessed else constants.NOT_BLESSED_VALUE
    name = constants.BLESSED_FILE_NAME if verdict.blessed else constants.NOT_BLESSED_FILE_NAME
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
