from mtlx.pipeline.compare.comparison_record import (
    OVERALL,
    ComparisonRecord,
    Measured,
    Row,
)
from mtlx.pipeline.compare.comparison_table import SLICES, comparison_table


def lines(slices):
    record = ComparisonRecord("planted", "base", 3, metrics={"click": "auc"})
    measured = {("click", place): Measured(0.7) for place in (OVERALL, *slices)}
    record.rows.append(Row("base", "mmoe", measured=measured, parameters=1000, seconds=2.0))
    return list(comparison_table(record))


def test_few_slices_have_a_column_each():
    found = lines(["domain=home", "domain=search"])
    assert found[1].split()[-2:] == ["domain=home", "domain=search"]
    assert not any("further" in line for line in found)


def test_many_slices_leave_the_table_readable():
    """40 slices were 40 columns, of which a terminal made fifteen lines a model."""
    places = [f"education={level}" for level in range(40)]
    found = lines(places)
    assert found[1].split()[-SLICES:] == places[:SLICES]
    assert f"{40 - SLICES} further slices are on the page." in found
