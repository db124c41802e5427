"""Wildcards are matched feature by feature, whatever characters the values hold."""

import pytest

from mtlx.components.relaimp_gate.slice_pattern import expand_slices
from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "scenario": {"kind": "categorical"},
            "brand": {"kind": "categorical"},
            "c": {"kind": "categorical"},
        },
        "tasks": {"click": {"label": "click"}},
        "domain": {"feature": "scenario", "values": ["feed", "search,new=1"]},
    }
)


def _cross(domain, brand):
    return (("domain", domain), ("brand", brand))


AWKWARD = ["a,b=c", "x=y", "[x]", "5*", "50", "x", "a\nb", "(missing)"]
MEASURED = [(), (("domain", "feed"),), (("domain", "search,new=1"),)]
MEASURED += [_cross(domain, brand) for domain in ("feed", "search,new=1") for brand in AWKWARD]


def _brands(pattern):
    found = expand_slices(pattern, MEASURED, CONTRACT)
    assert all(len(key) == 2 for key in found), found
    return [key[1][1] for key in found if key[0][1] == "feed"]


@pytest.mark.parametrize("pattern", ["domain=*,brand=*", {"domain": "*", "brand": "*"}])
def test_no_value_slips_through_a_star(pattern):
    assert expand_slices(pattern, MEASURED, CONTRACT) == MEASURED[3:]


@pytest.mark.parametrize(
    ("brand", "found"),
    [
        ("a,b=c", ["a,b=c"]),
        ("a,*", ["a,b=c"]),
        ("x=y", ["x=y"]),
        ("[x]", ["[x]"]),
        ("5*", ["5*", "50"]),
        ("5\\*", ["5*"]),
        ("??", ["5*", "50"]),
        ("a*b", ["a\nb"]),
        ("none", []),
    ],
)
def test_a_value_stands_for_itself_but_for_the_two_wildcards(brand, found):
    assert _brands(f"domain=feed,brand={brand}") == found
    assert _brands({"brand": brand, "domain": "feed"}) == found, "a mapping has no order"


def test_single_features_and_all_rows():
    assert expand_slices("domain=*", MEASURED, CONTRACT) == MEASURED[1:3]
    assert expand_slices("domain=search,new=1", MEASURED, CONTRACT) == [MEASURED[2]]
    assert expand_slices("overall", MEASURED, CONTRACT) == [()]
    assert expand_slices("*", MEASURED, CONTRACT) == MEASURED
    assert expand_slices("brand=*", MEASURED, CONTRACT) == []


def test_a_comma_before_a_feature_starts_a_new_pair_and_a_mapping_says_otherwise():
    measured = [_cross("feed", "b,c=d"), (*_cross("feed", "b"), ("c", "d"))]
    assert expand_slices("domain=feed,brand=b,c=d", measured, CONTRACT) == [measured[1]]
    assert expand_slices({"domain": "feed", "brand": "b,c=d"}, measured, CONTRACT) == [measured[0]]


def test_domains_without_rows_are_expected():
    only_feed = [(), (("domain", "feed"),), _cross("feed", "x")]
    missing = (("domain", "search,new=1"),)
    assert expand_slices("domain=*", only_feed, CONTRACT)[-1] == missing
    assert expand_slices("*", only_feed, CONTRACT)[-1] == missing
    assert expand_slices("domain=search,new=1", only_feed, CONTRACT) == [missing]
    assert expand_slices("domain=*,brand=*", only_feed, CONTRACT) == [
        _cross("feed", "x"),
        (*missing, ("brand", "*")),
    ]
    assert expand_slices("domain=f*,brand=*", only_feed, CONTRACT) == [_cross("feed", "x")]


def test_a_backslash_at_the_end_stands_for_itself():
    assert matches("a\\", "a\\") and matches("xa\\", "?a\\") and not matches("a", "a\\")
