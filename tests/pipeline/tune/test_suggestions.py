from mtlx.pipeline.experiment.search_settings import Dimension
from mtlx.pipeline.tune.space import Axis, Space
from mtlx.pipeline.tune.suggestions import Suggestions
from mtlx.pipeline.tune.tuning_record import TrialRow

SPACE = Space(
    {
        "training.learning_rate": Axis(Dimension(log=[1e-4, 1.0])),
        "model.options.hidden": Axis(Dimension(choices=[[4], [8]])),
    }
)


def row(number, rate, hidden, value, reached=()):
    settings = {"training.learning_rate": rate, "model.options.hidden": hidden}
    return TrialRow(number, settings, "complete", value=value, reached=list(reached))


def suggestions(seed=1, several=False):
    return Suggestions(SPACE, True, seed, several)


def test_what_comes_next_follows_from_the_trials_and_the_seed_alone():
    rows = [row(number, 10.0**-number, [4], number) for number in (1, 2, 3)]
    assert suggestions().next(rows) == suggestions().next(rows)
    assert suggestions(seed=2).next(rows) != suggestions().next(rows)
    assert suggestions().next(rows[:2]) != suggestions().next(rows)


def test_what_mattered_is_said_where_there_are_enough_trials():
    rates = [10 ** -(4 * place / 12) for place in range(1, 13)]
    rows = [
        row(place, rate, [[4], [8]][place % 2], abs(rate - 0.01))
        for place, rate in enumerate(rates, start=1)
    ]
    found, why = suggestions().importances(rows)
    assert not why and next(iter(found)) == "training.learning_rate"
    assert abs(sum(found.values()) - 1) < 1e-6 and found["training.learning_rate"] > 0.7
    found, why = suggestions().importances(rows[:9])
    assert not found and "9 trials came to their end, and 2 settings need 10" in why


def test_a_trial_worse_than_the_median_at_its_epoch_is_hopeless_from_the_second_on():
    others = [
        row(number, 0.1, [4], value, [(1, value), (2, value)])
        for number, value in enumerate((0.5, 0.6, 0.7, 0.8), start=1)
    ]
    own = row(5, 0.1, [8], None)
    own.state = "running"

    def hopeless(rows, *reached):
        return suggestions().is_hopeless(rows, own, list(enumerate(reached, start=1)))

    assert not hopeless([*others, own], 0.9)
    assert hopeless([*others, own], 0.9, 0.9)
    assert not hopeless([*others, own], 0.9, 0.55)
    assert not hopeless([*others[:3], own], 0.9, 0.9)
