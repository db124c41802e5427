"""What a request has once: which features these may be, and what goes with them."""

import json

import pytest

from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract

FEATURES = {
    "user": {"kind": "categorical"},
    "hour": {"kind": "categorical"},
    "item": {"kind": "categorical"},
    "brand": {"kind": "categorical"},
    "tags": {"kind": "categorical", "multiple": True, "weights": "tag_weights"},
    "clicks": {"kind": "sequence", "of": ["item", "brand"], "columns": ["items", "brands"]},
    "place": {"kind": "numeric", "serve_as": 1},
    "user_hour": {"kind": "cross", "of": ["user", "hour"], "hash_buckets": 10},
}


def _read(*named):
    return DataContract.read(
        {
            "features": FEATURES,
            "tasks": {"ctr": {"label": "click"}},
            "target_item": "item",
            "request_features": list(named),
        }
    )


def test_weights_and_values_of_behaviours_go_with_what_they_are_of():
    contract = _read("clicks", "user", "tags")
    assert contract.request_side == ("user", "tags", "tags.weights", "clicks", "clicks.brand")
    assert contract.served.request_side == contract.request_side
    assert _read("clicks", "clicks.brand").request_side == ("clicks", "clicks.brand")
    assert _read().request_side == ()


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (("usr",), "names 'usr', which is no feature, did you mean 'user'"),
        (("item",), "names 'item', which is the target item: a request has many of them"),
        (("place",), "names 'place', which is known only when training"),
        (("user_hour",), "names 'user_hour', which is a cross and has no column of its own"),
        (("clicks.brand",), "names 'clicks.brand', which goes with 'clicks': name that"),
        (("user", "user"), "names a feature twice"),
    ],
)
def test_what_no_request_has_once_is_refused(named, problem):
    with pytest.raises(SettingsError, match=problem):
        _read(*named)


def test_items_have_to_differ_by_something():
    features = {name: FEATURES[name] for name in ("user", "place")}
    with pytest.raises(SettingsError, match="leaves none by which its items differ"):
        DataContract.read(
            {
                "features": features,
                "tasks": {"ctr": {"label": "click"}},
                "request_features": ["user"],
            }
        )


def test_rows_do_not_depend_on_it():
    """Nothing before the training is made anew, and without it the contract is written as before."""
    contract, without = _read("user"), _read()
    assert contract.of_rows == without and contract.of_examples == without.of_examples
    assert "request_features" not in json.loads(without.to_json())
    assert DataContract.from_json(contract.to_json()) == contract
