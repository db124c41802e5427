"""What TF_CONFIG may say, and what is refused."""

import json

import pytest

from mtlx.trainer.distribution.cluster import Cluster, WrongCluster

TWO = {"worker": ["a:2222", "b:2222"]}


def _read(cluster, task):
    config = {"cluster": cluster, "task": task, "environment": "cloud"}
    return Cluster.of_environment({"TF_CONFIG": json.dumps(config)})


@pytest.mark.parametrize("text", [None, "", " ", "{}", '{"cluster": {}}', '{"task": {}}'])
def test_without_a_cluster_there_is_one_machine(text):
    environment = {} if text is None else {"TF_CONFIG": text}
    assert Cluster.of_environment(environment) == Cluster(1, 0)
    assert Cluster.of_environment(environment).is_chief


def test_worker_0_is_the_chief_where_none_is_named():
    assert _read(TWO, {"type": "worker", "index": 0}) == Cluster(2, 0)
    assert _read(TWO, {"type": "worker", "index": 1}) == Cluster(2, 1)
    assert not Cluster(2, 1).is_chief


def test_a_named_chief_comes_first():
    cluster = {"chief": ["c:1"], **TWO}
    assert _read(cluster, {"type": "chief", "index": 0}) == Cluster(3, 0)
    assert _read(cluster, {"type": "worker", "index": 0}) == Cluster(3, 1)


@pytest.mark.parametrize(
    ("cluster", "task", "words"),
    [
        ({**TWO, "ps": ["p:1"]}, {"type": "worker", "index": 0}, "parameter servers are not used"),
        ({**TWO, "evaluator": ["e:1"]}, {"type": "evaluator", "index": 0}, "validate themselves"),
        ({**TWO, "master": ["m:1"]}, {"type": "worker", "index": 0}, "unknown type 'master'"),
        ({"chief": ["a:1", "b:1"]}, {"type": "chief", "index": 0}, "2 chiefs"),
        ({"worker": "a:1"}, {"type": "worker", "index": 0}, "list of host:port"),
        ({"worker": ["a"]}, {"type": "worker", "index": 0}, "list of host:port"),
        ({"worker": []}, {"type": "worker", "index": 0}, "list of host:port"),
        (TWO, {"type": "worker", "index": 2}, "2 worker"),
        (TWO, {"type": "worker", "index": "0"}, "by type and index"),
        (TWO, {"type": "chief", "index": 0}, "by type and index"),
        (TWO, None, "by type and index"),
        (["a:1"], {"type": "worker", "index": 0}, "expected"),
    ],
)
def test_says_what_is_wrong(cluster, task, words):
    with pytest.raises(WrongCluster, match=f"TF_CONFIG.*{words}"):
        _read(cluster, task)


@pytest.mark.parametrize("text", ["{", "worker", "[1]", "3"])
def test_refuses_what_is_no_configuration(text):
    with pytest.raises(WrongCluster, match="TF_CONFIG"):
        Cluster.of_environment({"TF_CONFIG": text})
