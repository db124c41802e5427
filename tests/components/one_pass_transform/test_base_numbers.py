"""The numeric analysis of a base model in the place of today's."""

import json

import pytest
from tfx.types import standard_artifacts

from mtlx.components.one_pass_transform.base_numbers import keep_base_numbers
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.base_files import FOLDER, RECORD_FILE
from mtlx.trainer.warm_start.base_model import BaseModelError
from mtlx.trainer.warm_start.base_record import BaseRecord, write_record
from mtlx.transform.analysis.finished_analysis import read_numbers, write_numbers
from mtlx.transform.contract.data_contract import DataContract

BUCKETS = {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4}


def _contract(**features):
    return DataContract.read({"features": features, "tasks": {"click": {"label": "click"}}})


def _numbers(mean, **boundaries):
    zeros = {"deviation": 1.0, "minimum": 0.0, "maximum": 2.0}
    return {"mean": mean, **zeros, **boundaries}


CONTRACT = _contract(price={"kind": "numeric"}, age=BUCKETS, stock={"kind": "numeric"})
TODAY = {name: _numbers(2.0) for name in ("price", "age", "stock")}


@pytest.fixture
def analysis(tmp_path):
    folder = tmp_path / "analysis"
    folder.mkdir()
    write_numbers(str(folder), TODAY)
    return str(folder)


@pytest.fixture
def base(tmp_path):
    """A base model that has read price, and age in five buckets; not stock."""

    def function(numbers=True):
        model = standard_artifacts.Model()
        model.uri = str(tmp_path / "model")
        folder = tmp_path / "model" / "Format-Serving"
        (folder / FOLDER).mkdir(parents=True)
        (folder / "saved_model.pb").touch()
        kept = {"price": _numbers(1.0), "age": _numbers(1.0)}
        (folder / "numbers.json").write_text(json.dumps(kept))
        record = BaseRecord(
            contract=_contract(price={"kind": "numeric"}, age={**BUCKETS, "buckets": 5}),
            model=ModelSettings(network="mmoe"),
            vocabularies={},
            numbers="numbers.json" if numbers else None,
        )
        write_record(str(folder / FOLDER / RECORD_FILE), record)
        return [model]

    return function


def test_numbers_that_are_read_as_before_mean_what_they_meant(base, analysis):
    keep_base_numbers(base(), "refuse", CONTRACT, analysis)
    means = {name: numbers["mean"] for name, numbers in read_numbers(analysis).items()}
    assert means == {"price": 1.0, "age": 2.0, "stock": 2.0}


def test_without_a_base_model_all_are_today_s(analysis):
    keep_base_numbers([], "refuse", CONTRACT, analysis)
    assert read_numbers(analysis) == TODAY


def test_a_base_model_of_the_stock_transform_is_refused_or_passed_by(base, analysis):
    models = base(numbers=False)
    with pytest.raises(BaseModelError, match="transform.reuse: the base model .* stock. Leave"):
        keep_base_numbers(models, "refuse", CONTRACT, analysis)
    keep_base_numbers(models, "initial", CONTRACT, analysis)
    assert read_numbers(analysis) == TODAY


def test_one_that_was_deleted_is_one_line(analysis, tmp_path):
    gone = standard_artifacts.Model()
    gone.uri = str(tmp_path / "gone")
    with pytest.raises(BaseModelError) as caught:
        keep_base_numbers([gone], "refuse", CONTRACT, analysis)
    assert str(caught.value).startswith(f"transform.reuse: the base model {gone.uri} is gone: ")
    assert "\n" not in str(caught.value)
