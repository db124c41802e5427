"""What is made of one feature stands and falls together."""

from mtlx.components.model_insight.feature_columns import feature_columns
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests.components.model_insight.made_model import CONTRACT


def test_every_form_of_a_feature_is_its_own():
    keys = ["item", "category", "scenario", "a", "b", "other.zscore", "other.quantile_buckets"]
    keys += ["viewed", "viewed.category", "domain_id"]
    assert feature_columns(CONTRACT, keys) == {
        "item": ("item",),
        "category": ("category",),
        "scenario": ("scenario", "domain_id"),
        "a": ("a",),
        "b": ("b",),
        "other": ("other.zscore", "other.quantile_buckets"),
        "viewed": ("viewed", "viewed.category"),
    }


def test_what_the_model_does_not_read_is_left_out():
    assert feature_columns(CONTRACT, ["a", "label"]) == {"a": ("a",)}
    without = CONTRACT.model_copy(update={"domain": None})
    assert feature_columns(without, ["scenario", "domain_id"]) == {"scenario": ("scenario",)}


def test_each_kind_of_feature_has_what_was_made_of_it():
    contract = DataContract.read(
        {
            "features": {
                "city": {"kind": "categorical"},
                "hour": {"kind": "categorical"},
                "tags": {"kind": "categorical", "multiple": True, "weights": "scores"},
                "picture": {"kind": "vector", "size": 3},
                "position": {"kind": "numeric", "transform": "log", "serve_as": 1},
                "slot": {"kind": "categorical", "dropped": True},
                "place": {"kind": "categorical", "serve_as": "top"},
                "when": {"kind": "cross", "of": ["city", "hour"], "hash_buckets": 10},
                "seen": {"kind": "cross", "of": ["slot", "place"], "hash_buckets": 10},
                "where": {"kind": "cross", "of": ["city", "place"], "hash_buckets": 10},
            },
            "tasks": {"click": {"label": "click"}},
        }
    )
    keys = model_inputs(contract, lambda _: 4).keys
    assert feature_columns(contract, keys) == {
        "city": ("city",),
        "hour": ("hour",),
        "tags": ("tags", "tags.weights"),
        "picture": ("picture",),
        "when": ("when",),
        "where": ("where",),
    }, "position is the same in all rows that are served"
