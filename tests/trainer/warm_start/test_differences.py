"""What differs between two models, in words; what may differ is passed by."""

from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.differences import (
    contract_differences,
    model_differences,
    weight_changes,
)
from tests.trainer.base_in_memory import CONTRACT, contract

BASE = ModelSettings(network="mmoe", options={"experts": 4})


def _of_model(**changes):
    return model_differences(ModelSettings(**{**BASE.model_dump(), **changes}), BASE)


def _of_contract(**sections):
    return contract_differences(contract(**sections), contract())


def test_the_same_is_no_difference_defaults_spelt_out_or_not():
    assert _of_model() == []
    defaults = {"expert_hidden": [256, 128], "dropout": 0.0}
    from mtlx.trainer.networks import NETWORKS

    shown = {name: NETWORKS.options("mmoe")[name].default for name in defaults}
    assert _of_model(options={"experts": 4, **shown}) == []


def test_dropout_is_a_matter_of_steps():
    assert _of_model(options={"experts": 4, "dropout": 0.3}) == []


def test_parts_and_options_are_named():
    assert _of_model(network="ple", options={}) == [
        "model.network is ple, that of the base model mmoe"
    ]
    assert _of_model(embedding_size=8) == ["model.embedding_size is 8, that of the base model 16"]
    assert _of_model(options={"experts": 5}) == [
        "model.options.experts is 5, that of the base model 4"
    ]
    found = _of_model(sequence_encoder="din", arrangement="mtl", bottom="trm")
    assert [problem.split(" is ")[0] for problem in found] == [
        "model.sequence_encoder", "model.bottom", "model.arrangement",
    ]  # fmt: skip


def test_a_feature_that_changed_its_kind():
    assert _of_contract(features={"city": {"kind": "numeric"}}) == [
        "features.city is numeric (zscore), that of the base model categorical (vocabulary)"
    ]
    assert _of_contract(features={"city": {"kind": "categorical", "hash_buckets": 16}}) == [
        "features.city is categorical (hash_buckets: 16), that of the base model categorical "
        "(vocabulary)"
    ]
    buckets = {"kind": "numeric", "transform": ["log", "quantile_buckets"], "buckets": 7}
    assert _of_contract(features={"price": buckets}) == [
        "features.price is numeric (log, quantile_buckets of 7), that of the base model numeric "
        "(zscore)"
    ]
    assert _of_contract(features={"buys": {"kind": "sequence", "of": "user"}}) == [
        "features.buys is a sequence of user, that of the base model a sequence of item"
    ]


def test_features_and_tasks_that_are_new_or_missing():
    assert _of_contract(features={"price": None}) == [
        "features lacks 'price', which the base model reads"
    ]
    assert _of_contract(features={"age": {"kind": "numeric"}}) == [
        "features.age is new: the base model does not read it"
    ]
    tasks = {name: task for name, task in CONTRACT["tasks"].items() if name != "like"}
    assert _of_contract(tasks=tasks) == ["tasks lacks 'like', which the base model predicts"]
    tasks = {**CONTRACT["tasks"], "share": {"label": "share"}}
    assert _of_contract(tasks=tasks) == ["tasks.share is new: the base model does not predict it"]
    tasks = {**CONTRACT["tasks"], "like": {"label": "like"}}
    assert _of_contract(tasks=tasks) == ["tasks.like.after is null, that of the base model click"]
    assert _of_contract(target_item=None) == ["target_item is null, that of the base model item"]


def test_another_order_of_features_is_another_model():
    """Layers read fields by their place."""
    features = dict(CONTRACT["features"])
    user = features.pop("user")
    from mtlx.transform.contract.data_contract import DataContract

    moved = DataContract.read({**CONTRACT, "features": {**features, "user": user}})
    (problem,) = contract_differences(moved, contract())
    assert problem.startswith("features stand in another order: item, city, price, clicks, buys")


def test_what_may_differ():
    assert (
        _of_contract(
            features={
                "user": {"kind": "categorical", "vocabulary": {"top_k": 5}, "column": "user_id"},
                "scenario": {"kind": "categorical", "hash_buckets": 4, "embed": False},
                "clicks": {"kind": "sequence", "of": "item", "max_length": 9},
                "price": {"kind": "numeric", "clip": "none"},
            },
            domain={"feature": "scenario", "values": ["search", "mail"]},
        )
        == []
    )


def test_another_threshold_or_kind_is_another_task():
    def of_label(**task):
        tasks = {**CONTRACT["tasks"], "long": {"label": {"column": "watch", "at_least": 30}}}
        base = contract(tasks=tasks)
        return contract_differences(contract(tasks=tasks | {"long": task}), base)

    assert of_label(label={"column": "watch", "at_least": 30.0}) == []
    assert of_label(label={"column": "watch", "above": 30}) == [
        "tasks.long.label is watch > 30, that of the base model watch >= 30"
    ]
    assert of_label(label="watch", kind="regression") == [
        "tasks.long.kind is regression, that of the base model binary",
        "tasks.long.label is watch, that of the base model watch >= 30",
    ]


def test_other_weights_are_told_and_keep_from_nothing():
    (task, *_) = CONTRACT["tasks"]
    corrected = {"task": task, "negatives": 0.5, "correction": "logit"}
    assert contract_differences(contract(sampling=corrected), contract()) == [
        f"tasks.{task} has a logit of rows of which 0.5 of the negatives are drawn "
        "(sampling.correction: logit), that of the base model 1: draw as before"
    ]
    assert not contract_differences(contract(sampling=corrected), contract(sampling=corrected))
    weighed = contract(weight={"column": "w"}, sampling={"task": task, "negatives": 0.5})
    assert contract_differences(weighed, contract()) == []
    told = weight_changes(weighed, contract())
    assert [line.split(" is ")[0] for line in told] == ["data.weight", "sampling"]
    assert all("; the base model was trained with none." in line for line in told)
    assert weight_changes(weighed, weighed) == []
