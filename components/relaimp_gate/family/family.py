"""Checks that look for losses, decided together."""

import dataclasses

import numpy as np

from mtlx.components.relaimp_gate.family.holm import adjusted_p_values
from mtlx.components.relaimp_gate.verdict import Check, FamilyDecision


def decide_together(
    checks: list[Check], error_rate: float | None
) -> tuple[list[Check], FamilyDecision | None]:
    """Lets checks that look for a proven loss block only where it is sure among all of them.

    They are those that err by blocking (of a minimum those with ``bound: upper``) and have a
    p-value and no level of their own. A candidate that falls short in none of them is held back
    by one of them with a probability of at most the error rate: Holm's procedure. All other checks
    stay as they are. Those that err by passing (``bound: lower``) need nothing of the kind: since
    all of them have to be met, a candidate that falls short in one has to be lucky in that one,
    which is the level of a single check. What a check's own interval lets pass is never blocked.

    Args:
        checks: of all thresholds, each decided by itself.
        error_rate: None leaves all as they are.

    Returns:
        The checks in the same order, and what became of the family: None where no error rate is
        set. Of no check it says that it has nothing to decide.
    """
    if error_rate is None:
        return checks, None
    checks = [
        _unknown(check) if _belongs(check) and check.p_value is None else check for check in checks
    ]
    members = [
        place for place, check in enumerate(checks) if _belongs(check) and check.p_value is not None
    ]
    if not members:
        return checks, FamilyDecision(error_rate, 0, 0, 0)
    adjusted = adjusted_p_values(np.array([checks[place].p_value for place in members]))
    decided, lifted = list(checks), 0
    for place, p_value in zip(members, map(float, adjusted), strict=True):
        check = checks[place]
        passed = check.passed or p_value > error_rate
        lifted += passed and not check.passed
        words = "" if check.passed else _words(check, p_value, passed, error_rate, len(members))
        decided[place] = dataclasses.replace(
            check, passed=passed, adjusted_p_value=p_value, message=check.message + words
        )
    blocking = sum(not decided[place].passed for place in members)
    return decided, FamilyDecision(error_rate, len(members), blocking, lifted)


def _belongs(check: Check) -> bool:
    return check.errs_by == "blocking" and check.level is None


def _unknown(check: Check) -> Check:
    words = "; decided alone, since the evaluation holds no bounds at other levels: evaluate again"
    return dataclasses.replace(check, message=check.message + words)


def _words(check: Check, p_value: float, passed: bool, error_rate: float, members: int) -> str:
    """How the family's decision reads behind that of a check that alone would block."""
    shown = f"p {check.p_value:.2g} alone, {p_value:.2g} among {members}"
    if passed:
        return f", which chance does too often to block ({shown}, gate.error_rate {error_rate:g})"
    return f" ({shown}, gate.error_rate {error_rate:g})"
