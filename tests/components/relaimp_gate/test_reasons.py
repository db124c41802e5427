"""A check that cannot be decided says why, in the evaluation's words; a perfect model can pass."""

from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings

OVERALL = ("candidate", "click", "overall")
OVER = ("vs baseline", "click", "overall")
FEW = "too few values of user_id (the rows of 1 weigh as 1.0 of one size, 6 are needed)"
CHANCE = "the AUC to improve on, 0.5012, is not clearly above 0.5"


def _check(contract, results, **threshold):
    settings = GateSettings.read({"thresholds": [{"task": "click", **threshold}]})
    (check,) = judge(results, settings, contract).checks
    return check


def test_an_auc_without_interval_or_value(contract, evaluation):
    changes = {OVERALL: {"auc_lower": None, "auc_upper": None, "auc_reason": FEW}}
    check = _check(contract, evaluation(changes=changes), rule="auc", minimum=0.7)
    assert not check.passed
    assert f"AUC 0.7500 has no confidence interval ({FEW}), so lower bound" in check.message
    point = _check(contract, evaluation(changes=changes), rule="auc", minimum=0.7, bound="point")
    assert point.passed
    changes = {OVERALL: {"auc": None, "auc_lower": None, "auc_reason": "0 positives of 1000"}}
    check = _check(contract, evaluation(changes=changes), rule="auc", minimum=0.7)
    assert not check.passed and "AUC is undefined (0 positives of 1000)" in check.message


def test_a_relaimp_without_interval_or_value(contract, evaluation):
    changes = {OVER: {"relaimp_lower": None, "relaimp_upper": None, "relaimp_reason": FEW}}
    check = _check(contract, evaluation(changes=changes), rule="relaimp", minimum=0.0)
    assert not check.passed and f"has no confidence interval ({FEW})" in check.message
    changes = {OVER: {"relaimp": None, "relaimp_reason": CHANCE}}
    check = _check(contract, evaluation(changes=changes), rule="relaimp", minimum=0.0)
    assert not check.passed and f"RelaImp is undefined: {CHANCE}; give this" in check.message


def test_a_perfect_candidate_passes_the_floor_that_its_bound_reaches(contract, evaluation):
    # 50 positives, all ranked rightly: 0.025 ** (1 / 50) = 0.929.
    changes = {OVERALL: {"auc": 1.0, "auc_lower": 0.025 ** (1 / 50), "auc_upper": 1.0}}
    results = evaluation(changes=changes)
    assert _check(contract, results, rule="auc", minimum=0.92).passed
    assert not _check(contract, results, rule="auc", minimum=0.94).passed
