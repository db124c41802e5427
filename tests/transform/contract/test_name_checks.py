"""Names that later steps can't take, or would change, are refused when the contract is read."""

import pytest

from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.name_checks import served_name


def _contract(features=("item",), tasks=None, domain=None):
    return DataContract.read(
        {
            "features": {
                name: {"kind": "categorical", "column": f"column_{index}"}
                for index, name in enumerate(features)
            },
            "tasks": tasks or {"click": {"label": "clicked"}},
            "domain": domain,
        }
    )


@pytest.mark.parametrize(
    "names",
    [
        ["price.eur", "price-usd"],
        ["Preis", "x_1", "25_ctr", "a..b"],
        ["item", "item_1"],
        ["domain"],
        ["overall", "all", "examples", "class", "training", "mask"],
        ["x" * 200],
    ],
)
def test_names_that_work(names):
    assert list(_contract(names).features) == names


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["größe"], "features.größe: a feature's name goes into files .* column: NAME"),
        (["商品"], "features.商品: "),
        (["item id"], "features.item id: "),
        (["user:id"], "features.user:id: "),
        (["a/b"], "features.a/b: "),
        (["../../out"], "features.../../out: "),
        ([".."], "features...: "),
        (["_x"], "features._x: .*in front"),
        ([""], "features.'': "),
        (["a\nb"], r"features.'a\\nb': "),
        (["x" * 300], "has 300 characters; at most 200"),
        (["domain_id"], "features.domain_id: the name is taken: it is the model's input"),
        (["self"], "features.self: the name is taken"),
        (["Item", "item"], "features.item: TensorFlow does not tell the name from .* Item"),
        (["a.b", "a_b"], "features.a_b: TensorFlow does not tell"),
        (["2x", "arg_2x"], "features.arg_2x: TensorFlow does not tell"),
        (["clicked"], "tasks.click.label: features.clicked has the name of the label column"),
    ],
)
def test_names_that_fail_later_are_refused_with_the_remedy(names, message):
    with pytest.raises(SettingsError, match=message):
        _contract(names)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"buy*": {"label": "b"}}, r"tasks.buy\*: a task's name has none of"),
        ({"[x]": {"label": "b"}}, r"tasks.\[x\]: a task's name has none of"),
        ({"": {"label": "b"}}, "tasks.'': a task's name has 1 to 200 characters"),
        ({"a\tb": {"label": "b"}}, "can be printed"),
        ({"a" * 201: {"label": "b"}}, "1 to 200 characters"),
        ({"a": {"label": "domain_id"}}, "tasks.a.label: 'domain_id' is taken"),
        ({"a": {"label": ""}}, "tasks.a.label: ''"),
    ],
)
def test_tasks_and_labels(tasks, message):
    with pytest.raises(SettingsError, match=message):
        _contract(tasks=tasks)


def test_domains():
    features = ("domain", "scenario")
    with pytest.raises(SettingsError, match="in slices 'domain' stands for .* 'scenario'"):
        _contract(features, domain={"feature": "scenario", "values": ["a"]})
    _contract(features, domain={"feature": "domain", "values": ["a,b=c", "*", "größe 5"]})
    for value in ("", "a\nb"):
        with pytest.raises(SettingsError, match="domain.values: .* can be no name"):
            _contract(features, domain={"feature": "domain", "values": ["a", value]})


def test_served_names():
    names = {"price.eur": "price_eur", "25_ctr": "arg_25_ctr", "Item": "Item"}
    assert {name: served_name(name) for name in names} == names
