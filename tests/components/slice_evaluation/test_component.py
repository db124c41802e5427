"""The component as a node of a TFX pipeline, with a metadata store."""

import json

import pytest

from mtlx.components.slice_evaluation.component import SliceEvaluation
from mtlx.components.slice_evaluation.results import load_results
from mtlx.transform.config.settings import SettingsError
from tests import tfx_parts as tfx


def _importer(name, kind, uri, **properties):
    return tfx.dsl.Importer(source_uri=uri, artifact_type=kind, properties=properties).with_id(name)


def _run(tmp_path, contract, log, candidate, baseline_channel, extra=(), **channels):
    examples = _importer(
        "Examples", tfx.types.standard_artifacts.Examples, log[1], split_names='["test"]'
    )
    model = _importer("Candidate", tfx.types.standard_artifacts.Model, candidate)
    node = SliceEvaluation(
        examples.outputs["result"],
        model.outputs["result"],
        baseline_channel,
        data_contract=contract.to_json(),
        evaluation=json.dumps({"slices": [["domain"]]}),
        **channels,
    )
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="evaluation",
        pipeline_root=str(tmp_path / "root"),
        components=[examples, model, *extra, node],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(tmp_path / "metadata.db")
        ),
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    (path,) = (tmp_path / "root" / "SliceEvaluation" / "evaluation").iterdir()
    return load_results(str(path))


def test_node_without_a_blessed_model_yet(tmp_path, contract, log, models):
    resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("LatestBlessed")
    results = _run(
        tmp_path, contract, log, models["candidate"], resolver.outputs["model"], [resolver]
    )
    assert results.models == ("candidate",)
    assert results.metric("candidate", "ctr", (("domain", "feed"),)).auc > 0.6


def test_node_with_baseline_and_reference(tmp_path, contract, log, models):
    baseline = _importer("Baseline", tfx.types.standard_artifacts.Model, models["baseline"])
    reference = _importer("Reference", tfx.types.standard_artifacts.Model, models["candidate"])
    results = _run(
        tmp_path,
        contract,
        log,
        models["candidate"],
        baseline.outputs["result"],
        [baseline, reference],
        reference=reference.outputs["result"],
    )
    assert results.models == ("candidate", "baseline", "reference")
    same = results.comparison("reference", "ctr")
    assert (same.auc_difference, same.relaimp) == (0, 0)
    assert abs(same.relaimp_lower) < 1e-3 and abs(same.relaimp_upper) < 1e-3
    assert results.comparison("baseline", "ctr").auc_difference > 0.02


def test_wrong_slices_are_refused_before_the_pipeline_runs(contract):
    examples = tfx.dsl.Channel(type=tfx.types.standard_artifacts.Examples)
    model = tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model)
    for settings, message in (
        ({"slices": [["domain", "gendr"]]}, "did you mean 'gender'"),
        ({"slices": [["interest"]]}, "'interest' is no categorical feature"),
        ({"slices": [["domain", "scenario"]]}, "stands twice"),
        ({"user_key": "user"}, "did you mean 'user_id'"),
    ):
        with pytest.raises(SettingsError, match=message):
            SliceEvaluation(
                examples,
                model,
                data_contract=contract.to_json(),
                evaluation=json.dumps(settings),
            )
