import pytest

from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import CategoricalInput, NumericInput, SequenceInput


def test_sizes_hold_every_id_of_the_transform(transformed, contract):
    inputs = build_model_inputs(contract, transformed.graph)
    cardinality = {field.name: field.cardinality for field in inputs.categorical}
    assert list(cardinality) == ["item", "brand", "city", "nothing", "scenario", "age", "nowhere"]
    assert cardinality["brand"] == 3 + 5
    assert cardinality["city"] == 3 + 7
    assert cardinality["age"] == 3 + 8 and cardinality["nowhere"] == 3 + 3
    assert cardinality["scenario"] == 3 + 3
    largest = {name: transformed.columns[name].max() for name in cardinality}
    # The rarest item may stand in a sequence only.
    largest["item"] = max(largest["item"], transformed.columns["clicks"].max())
    for name in ("item", "brand", "scenario", "age"):
        assert largest[name] == cardinality[name] - 1, name
    for name, size in cardinality.items():
        assert transformed.columns[name].max() < size and transformed.columns[name].min() >= 1


def test_record_follows_the_contract(transformed, contract):
    inputs = build_model_inputs(contract, transformed.graph)
    names = ("price", "discount", "count", "rating", "constant")
    assert inputs.numeric == tuple(NumericInput(name) for name in names)
    assert inputs.sequences == (
        SequenceInput("clicks", "item", 3),
        SequenceInput("towns", "city", 2),
    )
    assert inputs.categorical[2] == CategoricalInput("city", 10)
    assert inputs.target_item == "item" and inputs.domains == ("search", "feed", "page")
    assert [task.name for task in inputs.tasks] == ["ctr", "cvr"]


def test_a_transform_of_another_contract_is_refused(transformed):
    other = DataContract.read(
        {"features": {"shop": {"kind": "categorical"}}, "tasks": {"ctr": {"label": "click"}}}
    )
    with pytest.raises(ValueError, match="shop"):
        build_model_inputs(other, transformed.graph)
