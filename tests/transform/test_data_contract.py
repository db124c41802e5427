import copy

import pytest

from transform.data_contract import DataContract
from transform.settings import SettingsError

VALID = {
    "features": {
        "item": {"kind": "categorical"},
        "hour": {"kind": "categorical", "hash_buckets": 24},
        "user": {"kind": "categorical", "embed": False},
        "scenario": {"kind": "categorical", "column": "scene"},
        "age": {"kind": "numeric", "transform": "log"},
        "history": {"kind": "sequence", "of": "item", "max_length": 5},
    },
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
    "tasks": {
        "click": {"label": "click"},
        "purchase": {"label": "buy", "after": "click", "population": "click"},
    },
}


def _changed(path, value):
    values = copy.deepcopy(VALID)
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return values


def test_a_valid_contract():
    contract = DataContract.read(VALID)
    assert contract.column("scenario") == "scene"
    assert contract.column("age") == "age"
    assert contract.domains == ("feed", "search")
    purchase = contract.task_specs[1]
    assert (purchase.name, purchase.label, purchase.after) == ("purchase", "buy", "click")
    assert DataContract.from_json(contract.to_json()) == contract


def test_a_contract_without_domains_has_one():
    assert DataContract.read({**VALID, "domain": None}).domains == ("all",)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("features", "history", "of"), "itm", "features.history.of 'itm' is no categorical"),
        (("features", "history", "of"), "user", "has embed: false"),
        (("features", "history", "separator"), "||", "features.history.separator"),
        (("target_item",), "age", "target_item 'age' is no categorical feature"),
        (("domain", "feature"), "scene", "did you mean 'scenario'"),
        (("domain", "values"), ["feed", "feed"], "names a domain twice"),
        (("tasks", "purchase", "after"), "clik", "did you mean 'click'"),
        (("tasks", "click", "after"), "purchase", "put task 'click' behind task 'purchase'"),
        (("tasks", "purchase", "label"), "click", "both use column 'click'"),
        (("features", "age", "column"), "click", "must not leak"),
        (("features", "age", "transform"), "square", "Received: 'square'"),
        (("features", "age", "kind"), "number", "'categorical', 'numeric', 'sequence'"),
        (("features", "item", "hash_buckets"), 0, "greater than 0"),
        (
            ("features", "item"),
            {"kind": "categorical", "hash_buckets": 5, "vocabulary": {"top_k": 3}},
            "not both",
        ),
    ],
)
def test_a_wrong_contract_is_refused_with_the_place_and_the_remedy(path, value, message):
    with pytest.raises(SettingsError, match=message):
        DataContract.read(_changed(path, value))
