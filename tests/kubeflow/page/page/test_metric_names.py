"""Names of metrics survive a database that cuts long ones and takes similar ones for one."""

import unicodedata

from mtlx.components.slice_evaluation.slices import slice_text
from mtlx.kubeflow.page.metric_names import metric_names
from tests.components.slice_names import ODD_VALUES


def _as_mysql(name):
    """What `utf8mb4_0900_ai_ci` and older collations compare, or coarser."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return "".join(min(letter, "\uffff") for letter in kept).rstrip(" ")


def test_every_slice_has_a_name_of_its_own_that_fits():
    names = [f"auc/click/{slice_text((('brand', value),))}" for value in ODD_VALUES]
    assert len({_as_mysql(name) for name in names}) < len(names), "the test is to find some alike"
    found = metric_names(names)
    assert list(found) == names
    assert len({_as_mysql(name) for name in found.values()}) == len(names)
    assert max(map(len, found.values())) <= 128
    assert max(len(name.encode()) for name in found.values()) <= 255


def test_only_what_has_to_change_changes_and_always_alike():
    long = "relaimp_over_baseline/click/brand=" + "男" * 120
    found = metric_names(["auc/click/overall", "auc/click/brand=A", "auc/click/brand=á", long])
    assert found["auc/click/overall"] == "auc/click/overall"
    assert found["auc/click/brand=A"].startswith("auc/click/brand=A~")
    assert found[long].startswith("relaimp_over_baseline/click/brand=男") and "~" in found[long]
    again = metric_names([long, "auc/click/brand=á", "rows/click/overall", "auc/click/brand=A"])
    assert all(again[name] == found[name] for name in found if name in again)
    assert metric_names(["auc/click/brand=A"]) == {"auc/click/brand=A": "auc/click/brand=A"}
