"""Runs the component's executor on a toy model."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tfx.types import standard_artifacts

from mtlx.components.serving_check.executor import Executor
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.components.slice_evaluation.models import sampled_predictions
from tests.components.serving_check import toy_models

#: As little as is measured at all.
FAST = {"rows": [1, 20], "calls": 3, "timeout_seconds": 60.0}


def _artifact(kind, folder, number):
    made = kind()
    made.uri, made.id = str(folder), number
    Path(made.uri).mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def check(tmp_path):
    """Checks a model that is saved with a fault, after it was evaluated.

    Returns the outcome, the artifact InfraBlessing, and what went in.
    """

    def function(fault=None, damage=None, served=None, blessed=1, rows=40, **settings):
        model = _artifact(standard_artifacts.Model, tmp_path / "model", 7)
        folder = toy_models.save(tmp_path / "model/Format-Serving", fault)
        examples = toy_models.rows(rows)
        evaluation = _artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation", 8)
        if fault != "python":
            found = sampled_predictions.sample_batch(examples, toy_models.scores(folder, examples))
            sampled_predictions._write(found, evaluation.uri, ("click",))
        if damage:
            damage(Path(folder))
        blessing = _artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", 9)
        blessing.set_int_custom_property("blessed", blessed)
        inputs = {"model": [model], "evaluation": [evaluation], "blessing": [blessing]}
        inputs["examples"] = [_artifact(standard_artifacts.Examples, tmp_path / "examples", 10)]
        if served:
            inputs["served"] = [_artifact(standard_artifacts.Model, tmp_path / "served", 6)]
            toy_models.save(tmp_path / "served/Format-Serving", served, shift=0.3)
        given = ServingCheckSettings.read({**FAST, **settings})
        made = _artifact(standard_artifacts.InfraBlessing, tmp_path / "infra_blessing", 11)
        properties = {
            "serving_check": given.to_json(),
            "data_contract": toy_models.CONTRACT.to_json(),
            "split": "test",
        }
        Executor().Do(inputs, {"infra_blessing": [made]}, properties)
        outcome = ServingOutcome.load(made.uri)
        assert made.get_int_custom_property("blessed") == outcome.blessed
        assert Path(made.uri, "INFRA_BLESSED").exists() == outcome.blessed
        assert made.get_int_custom_property("current_model_id") == 7
        return SimpleNamespace(
            outcome=outcome, artifact=made, model=folder, inputs=inputs, examples=examples
        )

    return function
