"""A planted model and what was found in it, shared by the tests of this folder."""

import json

import pytest

from tests.components.model_insight import made_model
from tests.shared_between_processes import made_once

#: Small enough for seconds; the options are tested by it, too.
ASKED = [
    {"name": "importance", "options": {"repeats": 3}},
    "gates",
    {"name": "representations", "options": {"rows": 200}},
    "sequences",
]


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """Folders of examples, transform graph and model, and the evaluated rows."""
    return made_once(tmp_path_factory, "planted_model", made_model.build)


@pytest.fixture(scope="session")
def look(planted, tmp_path_factory):
    """Runs the executor, as the launcher calls it; returns what it found."""
    from tfx.types import standard_artifacts

    from mtlx.components.model_insight.executor import Executor
    from mtlx.components.model_insight.insight_result import InsightResult, ModelInsights

    def artifact(kind, uri):
        made = kind()
        made.uri = uri
        return [made]

    def run(insights):
        examples = artifact(standard_artifacts.Examples, planted.examples)
        examples[0].split_names = json.dumps(["train", "test"])
        uri = str(tmp_path_factory.mktemp("insight"))
        Executor().Do(
            {
                "examples": examples,
                "model": artifact(standard_artifacts.Model, planted.model),
                "transform_graph": artifact(
                    standard_artifacts.TransformGraph, planted.transform_graph
                ),
            },
            {"insight": artifact(InsightResult, uri)},
            made_model.properties(insights),
        )
        return ModelInsights.load(uri)

    return run


@pytest.fixture(scope="session")
def found(look):
    """All insights into the planted model, by name."""
    return {one.name: one for one in look(ASKED).insights}
