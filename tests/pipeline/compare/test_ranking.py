from mtlx.pipeline.compare.comparison_record import (
    OVERALL,
    ComparisonRecord,
    Difference,
    Measured,
    Row,
)
from mtlx.pipeline.compare.ranking import ranks, sentences


def _record(errors=False, **models):
    """Models by their mean, p-value to the reference and p-value to the best."""
    record = ComparisonRecord("planted", "base", 3, metrics={"click": "auc"})
    if errors:
        record.lower_is_better.add("click")
    base = models["base"][0]
    for label, (value, to_reference, to_best) in models.items():
        row = Row(label, "mmoe", measured={("click", OVERALL): Measured(value)})
        if label != "base":
            over = Difference(value - base, p_value=to_reference)
            row.over_reference["click", OVERALL] = over
        if to_best is not None:
            row.over_best["click"] = Difference(-0.1, p_value=to_best)
        record.rows.append(row)
    return record


def test_p_values_count_for_all_models_together():
    # 0.03 alone would be decided; beside two others, of which one is not, it is not.
    record = _record(
        base=(0.70, None, 0.001), a=(0.75, 0.001, None), b=(0.73, 0.03, 0.02), c=(0.71, 0.5, 0.004)
    )
    found = {rank.label: rank for rank in ranks(record, "click")}
    assert [rank.label for rank in ranks(record, "click")] == ["a", "b", "c", "base"]
    assert found["a"].against_reference == "better"
    assert found["b"].against_reference == found["c"].against_reference == "undecided"
    # Six pairs: 6 x 0.02 is too much, 6 x 0.004 is not.
    assert found["b"].against_best == "undecided"
    assert found["c"].against_best == found["base"].against_best == "worse"
    assert sentences(record) == [
        "click: a has the best mean, but whether it is better than b is not decided; decidedly "
        "better than the reference base: a"
    ]


def test_of_an_error_less_is_better():
    record = _record(True, base=(0.70, None, 0.001), a=(0.60, 0.001, None), b=(0.80, 0.001, 0.001))
    found = {rank.label: rank for rank in ranks(record, "click")}
    assert [rank.label for rank in ranks(record, "click")] == ["a", "base", "b"]
    assert found["a"].against_reference == "better"
    assert found["b"].against_reference == "worse"
    assert sentences(record)[0].startswith("click: a is the best; its lead")


def test_without_an_interval_nothing_is_decided():
    record = _record(base=(0.70, None, None), a=(0.75, None, None))
    assert {rank.against_best for rank in ranks(record, "click")} == {"undecided"}
    assert {rank.against_reference for rank in ranks(record, "click")} == {"undecided"}
