"""What is made of one feature stands and falls together."""

from mtlx.components.model_insight.feature_columns import feature_columns
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
