"""Checks that look for a loss block together; all others decide alone."""

import dataclasses

from mtlx.components.relaimp_gate.family.family import decide_together
from mtlx.components.relaimp_gate.verdict import Check


def _check(p_value, errs_by="blocking", level=None, passed=None):
    passed = p_value >= 0.025 if passed is None else passed
    message = f"RelaImp -1.00 %: upper bound at least +0.00 % is {'' if passed else 'not '}met"
    return Check(
        "relaimp", "click", "overall", passed, message, -1.0, -2.0, -0.1, errs_by=errs_by, level=level,
        p_value=p_value,
    )  # fmt: skip


def test_one_of_many_that_chance_makes_block_does_not():
    checks = [_check(0.01), *(_check(0.5) for _ in range(14))]
    decided, family = decide_together(checks, 0.05)
    assert all(check.passed for check in decided)
    assert decided[0].adjusted_p_value == 0.15 and decided[1].adjusted_p_value == 1.0
    assert decided[0].message.endswith(
        "is not met, which chance does too often to block (p 0.01 alone, 0.15 among 15, "
        "gate.error_rate 0.05)"
    )
    assert decided[1].message == checks[1].message
    assert (family.checks, family.blocking, family.lifted) == (15, 0, 1)
    assert family.words == (
        "15 checks look for a proven loss, and among them chance blocks in at most 5 % of runs "
        "(gate.error_rate): none block, 1 more would by itself."
    )


def test_what_is_sure_among_all_blocks_and_says_so():
    checks = [_check(0.0004), _check(0.02), *(_check(0.5) for _ in range(13))]
    decided, family = decide_together(checks, 0.05)
    assert [check.passed for check in decided[:3]] == [False, True, True]
    assert decided[0].message.endswith(
        "is not met (p 0.0004 alone, 0.006 among 15, gate.error_rate 0.05)"
    )
    assert (family.blocking, family.lifted) == (1, 1)
    assert "1 blocks, 1 more would by itself" in family.words


def test_what_the_interval_lets_pass_is_never_blocked():
    """Alone at 2.5 %, of a family of one at 5 %."""
    (check,), family = decide_together([_check(0.03)], 0.05)
    assert check.passed and check.adjusted_p_value == 0.03
    assert (family.blocking, family.lifted) == (0, 0) and family.words.startswith("1 check looks")


def test_proofs_levels_and_what_is_not_decidable_stay_as_they_are():
    alone = [
        _check(0.03, errs_by="passing", passed=False),
        _check(0.01, level=0.1, passed=False),
        dataclasses.replace(_check(0.01), p_value=None, errs_by=None, value=None),
    ]
    decided, family = decide_together([*alone, _check(0.02)], 0.05)
    assert decided[:3] == alone and decided[3].adjusted_p_value == 0.02
    assert family.checks == 1
    decided, family = decide_together(alone, 0.05)
    assert decided == alone
    assert family.words == (
        "gate.error_rate of 5 % had no check to hold for: none with bound: upper and without a "
        "level of its own could be decided."
    )


def test_an_evaluation_without_levels_decides_alone_and_is_told_of():
    old = dataclasses.replace(_check(0.01), p_value=None)
    (check, other), family = decide_together([old, _check(0.5)], 0.05)
    assert not check.passed and "decided alone, since the evaluation holds no bounds" in (
        check.message
    )
    assert family.checks == 1 and other.adjusted_p_value == 0.5
    assert decide_together([old], None) == ([old], None)


def test_without_a_rate_each_decides_by_itself():
    checks = [_check(0.01), _check(0.5)]
    assert decide_together(checks, None) == (checks, None)
