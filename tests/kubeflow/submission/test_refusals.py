"""Every answer with which the API refuses: the exit code, and a line with the role or object."""

from pathlib import Path

import pytest
import yaml

from mtlx.kubeflow.submission import exit_codes

ACCOUNTS = Path(__file__).parents[3] / "kubeflow/manifests/base/service_accounts.yaml"

EVERY_DAY = ["--run-name", "x", "--every", "60"]

#: Requests of a submission: method, path, further arguments, the object, what a role must give.
REQUESTS = {
    "look": ("GET", "/experiments", [], "such API", "list on experiments"),
    "group": (
        "POST",
        "/experiments",
        [],
        "experiment 'ranking'",
        "create, get and list on experiments",
    ),
    "start": ("POST", "/runs", ["--run-name", "x"], "experiment 'ranking'", "create on runs"),
    "schedule": ("POST", "/recurringruns", EVERY_DAY, "recurring run 'x'", "create on jobs"),
    "list": ("GET", "/runs", ["--unless-running"], "experiment 'ranking'", "list on runs"),
    "follow": ("GET", "/runs/run-1", ["--wait"], "run run-1", "get on runs"),
}


@pytest.fixture
def refused(kubeflow, submit, capsys):
    """Submits while one request is answered with a state; returns the exit code and errors."""
    kubeflow.script = [("RUNNING", {})]
    real = kubeflow._route

    def run(name, status):
        method, path, arguments, _, _ = REQUESTS[name]
        kubeflow._route = lambda *asked: (
            (status, {"message": "no"}) if asked[:2] == (method, path) else real(*asked)
        )
        return submit(*arguments), capsys.readouterr().err

    return run


@pytest.mark.parametrize("name", REQUESTS)
def test_forbidden_names_the_role_and_what_it_lacks(refused, name):
    code, error = refused(name, 403)
    assert code == exit_codes.EXIT_UNREACHABLE
    assert f"a role must give {REQUESTS[name][4]}" in error
    assert "mtlx-submit of kubeflow/manifests/base/service_accounts.yaml" in error
    assert "403" in error and "--token-file" in error


def _granted():
    """Verbs by resource, of the role that the line names."""
    (role,) = [
        item
        for item in yaml.safe_load_all(ACCOUNTS.read_text(encoding="utf-8"))
        if (item["kind"], item["metadata"]["name"]) == ("Role", "mtlx-submit")
    ]
    return {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_role_that_is_named_has_the_right_or_is_said_to_lack_it(refused, name):
    verbs, _, resource = REQUESTS[name][4].partition(" on ")
    asked = set(verbs.replace(",", " ").replace(" and ", " ").split())
    lacks = not asked <= set(_granted().get(resource, ()))
    assert ("what single runs need, and not this" in refused(name, 403)[1]) is lacks
    assert lacks is (name == "schedule")


@pytest.mark.parametrize("status", [404, 409, 410])
@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_not_there_or_there_already_is_named(refused, name, status):
    code, error = refused(name, status)
    subject = REQUESTS[name][3]
    words = {
        404: f"There is no {subject}",
        409: f"There is {subject}",
        410: f"There was {subject}",
    }
    assert words[status] in error, error
    lost = name == "follow"
    assert code == (exit_codes.EXIT_FAILED if lost else exit_codes.EXIT_WRONG_INPUT)
    if lost:
        gone = "was deleted while it was awaited" if status != 409 else "can't be followed"
        assert gone in error


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("name", ["look", "group", "start", "schedule", "list"])
def test_an_api_that_is_away_ends_with_5_and_says_at_what(refused, name, status):
    code, error = refused(name, status)
    assert code == exit_codes.EXIT_UNREACHABLE
    assert f"Kubeflow Pipelines answers {status}" in error
    in_doubt = name in ("start", "schedule") and status != 429
    assert ("all the same" in error) is in_doubt


def test_an_experiment_that_another_submission_creates_meanwhile_is_taken(kubeflow, submit):
    real = kubeflow._route

    def meanwhile(method, path, query, body):
        answer = real(method, path, query, body)
        return (409, {}) if (method, path) == ("POST", "/experiments") else answer

    kubeflow._route = meanwhile
    assert submit() == exit_codes.EXIT_OK
    (body,) = kubeflow.bodies("/runs")
    assert body["experiment_id"] == "experiment-1"


@pytest.mark.parametrize(
    ("states", "started"),
    [([], True), (["SUCCEEDED", "FAILED"], True), (["SUCCEEDED", "RUNNING"], False),
     (["PENDING"], False), (["CANCELING"], False)],
)  # fmt: skip
def test_nothing_is_started_beside_a_run_that_goes_on(kubeflow, submit, capsys, states, started):
    kubeflow.listed = [
        {"run_id": state, "display_name": f"run {state}", "state": state} for state in states
    ]
    code = submit("--unless-running")
    assert code == (exit_codes.EXIT_OK if started else exit_codes.EXIT_STILL_RUNNING)
    assert bool(kubeflow.bodies("/runs")) is started
    if not started:
        assert f"'run {states[-1]}' of experiment 'ranking' is not over" in capsys.readouterr().err
    # Without the option a run is started all the same.
    assert submit() == exit_codes.EXIT_OK
