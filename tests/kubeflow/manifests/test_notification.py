"""The experiment of the built config map: who is told of its end, once its comments are taken out."""

import re

import pytest

from mtlx.kubeflow.package.exit_task import TELL_END, exit_problems
from mtlx.pipeline.experiment.experiment_file import read_experiment


@pytest.fixture
def read(objects, tmp_path):
    """Reads the experiment with some of its lines no longer comments."""
    text = objects["ConfigMap", "mtlx-experiment"]["data"]["experiment.yaml"]

    def make(*beginnings):
        lines = text
        for one in beginnings:
            lines, times = re.subn(rf"(?m)^( *)# ({one}.*)$", r"\1\2", lines)
            assert times == 1, one
        path = tmp_path / "experiment.yaml"
        path.write_text(lines, encoding="utf-8")
        return read_experiment(path)

    return make


def test_the_example_tells_of_blocked_and_failed_runs_by_a_secret(read):
    experiment = read("notify:", "TellEnd:", "  memory:", "  secrets:")
    assert {"blocked", "failed"} <= set(experiment.notify.events)
    (secret,) = experiment.kubeflow.node(TELL_END).secrets
    assert f"env:{secret.env['address']}" == experiment.notify.webhook
    assert not list(exit_problems(experiment, experiment.kubeflow))


def test_without_the_secret_it_is_refused(read):
    experiment = read("notify:")
    (problem,) = exit_problems(experiment, experiment.kubeflow)
    assert "finds no variable SHOP_WEBHOOK" in problem


def test_as_it_is_it_tells_nobody(read):
    experiment = read()
    assert TELL_END not in experiment.kubeflow.nodes and not experiment.notify.webhook
