"""The order in which slices are shown."""

from mtlx.components.slice_evaluation.stored.slice_order import SliceOrder


def _sorted(keys, first_values=None):
    crosses = list(dict.fromkeys(tuple(name for name, _ in key) for key in keys if key))
    return sorted(keys, key=SliceOrder(crosses, first_values or {}))


def test_numbers_sort_as_numbers_and_before_texts():
    values = ["10", "9", "2", "-1", "1e3", "nan", "b", "a", "1.5"]
    keys = [(("age", value),) for value in values]
    shown = [value for ((_, value),) in _sorted(keys)]
    assert shown == ["-1", "1.5", "2", "9", "10", "1e3", "a", "b", "nan"]


def test_domains_keep_the_order_of_the_contract():
    keys = [(), (("domain", "10"),), (("domain", "9"),)]
    assert _sorted(keys, {"domain": ["10", "9"]}) == keys
