"""A/A: chance holds equal models back no oftener than `gate.error_rate` says, and a loss it does.

A reduced `benchmarks.gate_trials`, whose table is in docs/evaluation.md.
"""

import functools

import numpy as np

from benchmarks.equal_models import EqualModels, contract
from benchmarks.gate_trials import ERROR_RATE, GATES, Shares, gate, trials_of
from mtlx.components.relaimp_gate.judge import judge

TRIALS = 120
#: Where a loss is so large that it is nearly always found.
FEW_TRIALS = 40
#: An equal model lies on the edge of each of fifteen checks that look for a loss.
ON_THE_EDGE = GATES["every minimum at 0"]
#: Three standard errors of the simulation.
ERROR = 3 * np.sqrt(ERROR_RATE * (1 - ERROR_RATE) / TRIALS)


@functools.cache
def _drawn(loss, trials):
    models = EqualModels(rows=1600, users=400, loss=loss)
    return list(trials_of(models, trials, seed=3, only_relaimp=True))


def _shares(thresholds, error_rate, loss=0.0, trials=TRIALS):
    settings, known, found = gate(thresholds, error_rate), contract(), Shares()
    for results in _drawn(loss, trials):
        found.add(judge(results, settings, known))
    assert found.trials == trials and not found.undecidable
    return found


def test_equal_models_are_held_back_as_often_as_is_agreed_and_not_once_per_check():
    alone = _shares(ON_THE_EDGE, None)
    assert len(alone.blocks) == 15
    # Each check keeps its own level, 2.5 %; fifteen of them do not.
    assert 0.01 < np.mean(list(alone.blocks.values())) / TRIALS < 0.045
    assert alone.held_back / TRIALS > ERROR_RATE + ERROR
    together = _shares(ON_THE_EDGE, ERROR_RATE)
    assert together.held_back / TRIALS < ERROR_RATE + ERROR
    assert together.passed == TRIALS - together.held_back


def test_what_is_better_in_one_domain_and_equal_in_the_other_passes_by_that_ones_level():
    """All have to be shown, so that two checks pass wrongly no oftener than one."""
    proofs = [
        {"rule": "relaimp", "task": "click", "slice": f"domain={name}", "bound": "lower"}
        for name in ("feed", "search")
    ]
    found = _shares(proofs, None, loss=-0.8)
    missed = {name.rpartition("=")[2]: number for name, number in found.blocks.items()}
    assert missed["feed"] / TRIALS < 0.05
    assert found.passed / TRIALS < 0.025 + 3 * np.sqrt(0.025 * 0.975 / TRIALS)


def test_a_loss_in_one_domain_blocks_all_the_same():
    found = _shares(ON_THE_EDGE, ERROR_RATE, loss=0.6, trials=FEW_TRIALS)
    assert found.held_back / FEW_TRIALS > 0.9
