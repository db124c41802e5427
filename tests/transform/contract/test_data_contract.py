import copy

import pytest

from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract

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
    if str(path[-1]).startswith("AGE.") or str(value).startswith("age."):
        values["features"]["age"]["transform"] = ["log", "zscore"]
    return _with(values, path, value)


def _with(values, path, value):
    values = copy.deepcopy(values)
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


def test_a_number_in_several_forms_is_one_column_and_several_fields():
    forms = ["log", "quantile_buckets"]
    contract = DataContract.read(_changed(("features", "age", "transform"), forms))
    age = contract.features["age"]
    assert contract.column("age") == "age" and age.transforms == ("log", "quantile_buckets")
    assert age.fields("age") == {"age.log": "log", "age.quantile_buckets": "quantile_buckets"}
    assert DataContract.from_json(contract.to_json()) == contract
    for one in ("log", ["log"]):
        alone = DataContract.read(_changed(("features", "age", "transform"), one)).features["age"]
        assert alone.fields("age") == {"age": "log"}


def test_a_contract_without_domains_has_one():
    assert DataContract.read({**VALID, "domain": None}).domains == ("all",)


BEHAVIOURS = {
    "kind": "sequence", "of": ["item", "scenario"], "columns": ["seen", "where"], "max_length": 7,
}  # fmt: skip


def test_a_sequence_of_several_features_is_one_for_each_of_them():
    contract = DataContract.read(_with(VALID, ("features", "history"), BEHAVIOURS))
    names = list(contract.features)
    assert names[names.index("history") + 1] == "history.scenario"
    first, second = contract.features["history"], contract.features["history.scenario"]
    assert (first.of, first.column, first.beside) == ("item", "seen", None)
    assert (second.of, second.column, second.beside) == ("scenario", "where", "history")
    assert first.max_length == second.max_length == 7
    assert contract.behaviours == [("history", "history.scenario")]
    assert contract.parts("history.scenario") == ("history.scenario",)
    assert DataContract.from_json(contract.to_json()) == contract


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"columns": None},
            "features.history: a list in 'of' takes 'columns'.*one column for each",
        ),
        ({"column": "seen"}, "features.history: a list in 'of' takes 'columns'"),
        ({"columns": ["seen"]}, "features.history: columns .* should be one for each of"),
        ({"columns": ["seen", "seen"]}, "both use column 'seen'"),
        ({"of": "item"}, "features.history: 'columns' is for a list in 'of'"),
        ({"of": ["item"]}, "at least 2 items"),
        ({"of": ["item", "item"]}, "features.history: of names a feature twice"),
        ({"of": ["item", "scene"]}, "features.history.of 'scene' is no categorical .*'scenario'"),
        ({"of": ["itm", "scene"]}, "features.history.of 'itm' is no .*features.history.of 'scene'"),
        ({"of": ["item", "user"]}, "features.history.of 'user' has embed: false"),
    ],
)
def test_a_wrong_sequence_of_several_features_is_refused(change, message):
    values = _with(VALID, ("features", "history"), {**BEHAVIOURS, **change})
    with pytest.raises(SettingsError, match=message):
        DataContract.read(values)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"beside": "histry"}, "features.more.beside 'histry' is no sequence.*'history'"),
        ({"beside": "more"}, "features.more.beside 'more' is no sequence"),
        ({"beside": "history", "max_length": 3}, "features.more.max_length is 3, but that of"),
        ({"beside": "history", "of": "item"}, "features.more.of 'item' is what another sequence"),
    ],
)
def test_a_sequence_beside_another_fits_it(beside, message):
    history = {"kind": "sequence", "of": "item", "max_length": 7}
    more = {"kind": "sequence", "of": "scenario", "max_length": 7}
    values = _with(VALID, ("features", "history"), history)
    right = _with(values, ("features", "more"), {**more, "beside": "history"})
    assert DataContract.read(right).behaviours == [("history", "more")]
    with pytest.raises(SettingsError, match=message):
        DataContract.read(_with(values, ("features", "more"), {**more, **beside}))


def test_what_a_list_of_features_makes_must_have_a_free_name():
    values = _with(VALID, ("features", "history"), BEHAVIOURS)
    taken = _with(values, ("features", "history.scenario"), {"kind": "numeric", "column": "n"})
    with pytest.raises(SettingsError, match="features.history.of makes a feature 'history.scena"):
        DataContract.read(taken)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("features", "history", "of"), "itm", "features.history.of 'itm' is no categorical"),
        (("features", "history", "of"), "user", "has embed: false"),
        (("features", "history", "separator"), "||", "features.history.separator"),
        (("target_item",), "age", "target_item 'age' is no categorical feature"),
        (("domain", "feature"), "scene", "did you mean 'scenario'"),
        (("domain", "values"), ["feed", "feed"], "names a domain twice"),
        (("domain", "unknown"), "serch", "did you mean 'search'"),
        (("domain", "other"), "", "at least 1 character"),
        (("features", "age", "clip"), "both", "Received: 'both'"),
        (("tasks", "purchase", "after"), "clik", "did you mean 'click'"),
        (("tasks", "click", "after"), "purchase", "put task 'click' behind task 'purchase'"),
        (("tasks", "purchase", "label"), "click", "both use column 'click'"),
        (("features", "age", "column"), "click", "must not leak"),
        (("features", "age", "transform"), "square", "^features.age.transform: .*'square'$"),
        (("features", "age", "transform"), ["log", "square"], "transform.1: .*Received: 'square'"),
        (("features", "age", "transform"), ["log", "log"], "names a transform twice"),
        (("features", "age", "transform"), [], "at least one transform"),
        (("features", "age", "buckets_of"), "values", "Received: 'values'"),
        (("features", "age", "buckets_of"), "distinct", "asks for no buckets"),
        (
            ("features", "AGE.log"),
            {"kind": "numeric", "transform": "none"},
            "features.age: its field age.log is called like features.AGE.log; give that another",
        ),
        (
            ("tasks", "click", "label"),
            "age.zscore",
            "features.age: its field age.zscore is called like tasks.click.label",
        ),
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


@pytest.mark.parametrize(
    ("settings", "values", "index"),
    [
        ({}, ["feed", "search"], 0),
        ({"unknown": "first"}, ["feed", "search"], 0),
        ({"unknown": "refuse"}, ["feed", "search"], 0),
        ({"unknown": "search"}, ["feed", "search"], 1),
        ({"other": "rest"}, ["feed", "search", "rest"], 2),
        ({"other": "rest", "unknown": "rest"}, ["feed", "search", "rest"], 2),
        ({"other": "search"}, ["feed", "search"], 1),
    ],
)
def test_where_unlisted_domains_go(settings, values, index):
    contract = DataContract.read(_changed(["domain"], {**VALID["domain"], **settings}))
    assert list(contract.domains) == values == contract.domain.values
    assert contract.domain.unknown_index == index
    assert contract.domain.refuses_unknown == (settings.get("unknown") == "refuse")
    assert DataContract.from_json(contract.to_json()) == contract


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"other": "rest", "unknown": "feed"}, "Leave out unknown"),
        ({"values": ["first", "second"], "unknown": "first"}, "is a domain as well"),
    ],
)
def test_settings_of_unlisted_domains_that_contradict_are_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        DataContract.read(_changed(["domain"], {**VALID["domain"], **settings}))
