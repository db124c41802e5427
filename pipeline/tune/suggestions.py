"""What Optuna says of a search: what to try next, what to stop, what mattered.

Each answer follows from the trials so far and the search's seed alone, so that a search which was
killed goes on as it would have gone on by itself: Optuna remembers nothing between two questions.
"""

import itertools
import json
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial, TrialState, create_trial

from mtlx.pipeline.tune.space import Axis, Space
from mtlx.pipeline.tune.tuning_record import TrialRow

#: No training is stopped for what its first epoch gave.
FIRST_PRUNED_EPOCH = 2
#: Trials that must have come to their end before one is stopped.
LEAST_COMPLETE = 4
#: Trials that must have come to their end, per setting, before anything is said of what mattered.
LEAST_PER_SETTING = 5
#: Trials at random, before what they gave is looked at.
_AT_RANDOM = 8
#: Draws of settings that were not tried yet, before they are looked for one by one.
_DRAWS = 200


class Suggestions:
    """Answers on one search.

    Args:
        space: what may be tried.
        lower_is_better: of the values of trials.
        seed: of the search.
        several: whether several trials are at work at once.
    """

    def __init__(self, space: Space, lower_is_better: bool, seed: int, several: bool) -> None:
        self._space, self._seed, self._several = space, seed, several
        self._direction = "minimize" if lower_is_better else "maximize"
        self._distributions = {name: _distribution(axis) for name, axis in space.axes.items()}
        optuna.logging.set_verbosity(optuna.logging.WARNING)

    def next(self, rows: Sequence[TrialRow]) -> dict[str, Any] | None:
        """The settings of the trial after these; None where all there are were tried.

        Args:
            rows: of all trials so far, those at work included.
        """
        trial = self._study(rows, seed=self._seed + len(rows)).ask(self._distributions)
        settings = {
            name: self._setting(name, value)
            for name, value in trial.params.items()  # in the order of the space
        }
        if self._space.size is None:
            return settings
        return self._new(settings, {_key(row.settings) for row in rows})

    def is_hopeless(
        self, rows: Sequence[TrialRow], row: TrialRow, reached: Sequence[tuple[int, float]]
    ) -> bool:
        """Whether a trial is to be stopped: others had reached more, at its median, by then.

        Args:
            rows: of all trials so far.
            row: the one at work.
            reached: by its epochs, up to the one of which is asked.
        """
        if not reached or reached[-1][0] < FIRST_PRUNED_EPOCH:
            return False
        study = self._study([one for one in rows if one.number != row.number])
        study.enqueue_trial(self._parameters(row))
        trial: Trial = study.ask(self._distributions)
        for epoch, value in reached:
            trial.report(value, epoch)
        return bool(trial.should_prune())

    def importances(self, rows: Sequence[TrialRow]) -> tuple[dict[str, float], str]:
        """What share of the variation each setting explains (fANOVA), or why nothing is said.

        Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing Hyperparameter
        Importance, ICML 2014.

        Args:
            rows: of all trials.

        Returns:
            Shares that add up to 1, the largest first; and a sentence where there are none.
        """
        complete = [row for row in rows if row.state == "complete"]
        least = LEAST_PER_SETTING * len(self._space.axes)
        if len(self._space.axes) == 1:
            return {}, "One setting alone is varied: all that differs is by it, or by chance"
        if len(complete) < least:
            return {}, (
                f"What mattered is not said: {len(complete)} trials came to their end, and "
                f"{len(self._space.axes)} settings need {least} for that"
            )
        if len({row.value for row in complete}) == 1:
            return {}, "Nothing mattered: all trials reached the same"
        found = optuna.importance.get_param_importances(
            self._study(complete),
            evaluator=optuna.importance.FanovaImportanceEvaluator(seed=self._seed % 2**32),
        )
        return dict(found), ""

    def _study(self, rows: Sequence[TrialRow], seed: int = 0) -> optuna.Study:
        with warnings.catch_warnings():
            # Of an option that Optuna may still change.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=_AT_RANDOM, seed=seed % 2**32, constant_liar=self._several
            )
        study = optuna.create_study(
            direction=self._direction,
            sampler=sampler,
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=LEAST_COMPLETE, n_warmup_steps=FIRST_PRUNED_EPOCH
            ),
        )
        for row in rows:
            study.add_trial(
                create_trial(
                    state=_STATES[row.state],
                    value=row.value if row.state == "complete" else None,
                    params=self._parameters(row),
                    distributions=self._distributions,
                    intermediate_values={} if row.state == "failed" else dict(row.reached),
                )
            )
        return study

    def _new(self, settings: dict[str, Any], tried: set[str]) -> dict[str, Any] | None:
        """These settings, or some that were not tried yet."""
        if _key(settings) not in tried:
            return settings
        size = self._space.size
        if size is not None and len(tried) >= size:
            return None
        draw = random.Random(f"{self._seed} {len(tried)}")
        choices = {name: axis.choices or [] for name, axis in self._space.axes.items()}
        for _ in range(_DRAWS):
            found = {name: draw.choice(own) for name, own in choices.items()}
            if _key(found) not in tried:
                return found
        return next((one for one in _all(choices) if _key(one) not in tried), None)

    def _setting(self, name: str, value: Any) -> Any:
        axis = self._space.axes[name]
        return json.loads(value) if axis.dimension.choices is not None else axis.taken(value)

    def _parameters(self, row: TrialRow) -> dict[str, Any]:
        return {
            name: json.dumps(row.settings[name]) if axis.dimension.choices is not None
            else row.settings[name]
            for name, axis in self._space.axes.items()
        }  # fmt: skip


#: What failed is, for who suggests settings, the worst of all.
_STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.PRUNED,
}


def _distribution(axis: Axis) -> BaseDistribution:
    dimension = axis.dimension
    if dimension.choices is not None:
        return CategoricalDistribution([json.dumps(one) for one in dimension.choices])
    low, high = axis.ends
    if axis.whole:
        step = int(dimension.step or 1)
        return IntDistribution(int(low), int(high), log=dimension.log is not None, step=step)
    log, step_of = dimension.log is not None, dimension.step
    return FloatDistribution(low, high, log=log, step=None if step_of is None else float(step_of))


def _key(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)


def _all(choices: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))
