"""The same rows are looked at that are evaluated."""

import json

import pytest
from tfx.types import standard_artifacts

from mtlx.components.model_insight.evaluated_files import evaluated_files
from mtlx.transform.contract.data_contract import DataContract


@pytest.fixture
def contract():
    tasks = {"click": {"label": "click"}, "buy": {"label": "buy", "matures_after": 1}}
    return DataContract.read({"features": {"item": {"kind": "categorical"}}, "tasks": tasks})


@pytest.fixture
def examples(tmp_path):
    found = []
    for span in (8, 7):
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / str(span))
        artifact.split_names = json.dumps(["train", "test"])
        artifact.set_int_custom_property("span", span)
        for split in ("train", "test"):
            (tmp_path / str(span) / f"Split-{split}").mkdir(parents=True)
            (tmp_path / str(span) / f"Split-{split}" / "data.gz").touch()
        found.append(artifact)
    return found


def test_of_one_artifact_the_split(examples, contract, tmp_path):
    files = evaluated_files(examples[:1], contract, "test", whole=False)
    assert files == {(): [f"{tmp_path}/8/Split-test/data.gz"]}


def test_of_a_window_all_splits_and_what_is_not_known_yet(examples, contract, tmp_path):
    files = evaluated_files(examples, contract, "test", whole=True)
    assert files == {
        (): [f"{tmp_path}/7/Split-{split}/data.gz" for split in ("train", "test")],
        ("buy",): [f"{tmp_path}/8/Split-{split}/data.gz" for split in ("train", "test")],
    }
