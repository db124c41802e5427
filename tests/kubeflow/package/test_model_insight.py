"""The task that looks into the model: only where the experiment asks, and where it stands."""

import yaml
from tfx.proto.orchestration import pipeline_pb2

from mtlx.components.model_insight.settings import InsightList
from mtlx.kubeflow.package.compiler import compile_package
from mtlx.pipeline.experiment.experiment_file import read_experiment


def test_it_stands_between_evaluation_and_report(golden_folder, documents):
    assert "model-insight" not in documents[0]["root"]["dag"]["tasks"]
    asked = "report.insight=[gates, {name: importance, options: {repeats: 3}}]"
    compiled = compile_package(read_experiment(golden_folder / "experiment.yaml", (asked,)))
    package = next(yaml.safe_load_all(compiled.pipeline_yaml))
    tasks = package["root"]["dag"]["tasks"]
    before = set(tasks["model-insight"]["dependentTasks"])
    assert {"slice-evaluation", "trainer", "transform"} <= before
    assert "model-insight" in tasks["report"]["dependentTasks"]
    # What decides does not wait for what is only looked at.
    assert "model-insight" not in tasks["rela-imp-gate"]["dependentTasks"]
    pipeline = pipeline_pb2.Pipeline.FromString(compiled.ir)
    nodes = {one.pipeline_node.node_info.id: one.pipeline_node for one in pipeline.nodes}
    given = nodes["ModelInsight"].parameters.parameters["insights"].field_value.string_value
    read = [(one.name, one.options) for one in InsightList.model_validate_json(given).root]
    assert read == [("gates", {}), ("importance", {"repeats": 3})]
