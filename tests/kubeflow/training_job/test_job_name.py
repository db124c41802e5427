"""Job names: valid labels with room for the pods' suffixes, one per task."""

import re

import pytest

from mtlx.kubeflow.training_job.job_name import job_name

LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"


@pytest.mark.parametrize(
    ("run", "node"),
    [
        ("f0e1d2c3-1111-2222-3333-444455556666", "Trainer"),
        ("12345678-1111-2222-3333-444455556666", "ReferenceTrainer"),
        ("run_1 of Friday", "Trainer"),
        ("ß", "Trainer"),
        ("a" * 200, "Trainer"),
        ("--", "Trainer"),
    ],
)
def test_names_are_labels_with_room_for_the_pods(run, node):
    name = job_name(run, node)
    assert re.fullmatch(LABEL, name)
    assert len(f"{name}-worker-9999") <= 63
    assert name == job_name(run, node), "another attempt would not find it"


def test_plain_names_stay_readable():
    assert job_name("run-1", "Trainer") == "run-1-trainer"


def test_no_two_tasks_share_a_name():
    tasks = [
        ("a" * 80, "Trainer"),
        ("a" * 81, "Trainer"),
        ("a" * 80, "ReferenceTrainer"),
        ("run.1", "Trainer"),
        ("run_1", "Trainer"),
        ("run-1", "Trainer"),
        ("1-run", "Trainer"),
        ("run-1-run", "Trainer"),
    ]
    assert len({job_name(*task) for task in tasks}) == len(tasks)
