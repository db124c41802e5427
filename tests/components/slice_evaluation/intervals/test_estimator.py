"""Means over seeds of all metrics: their values, and that equal trainings differ as is said."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.intervals.seed_mean import SeedMean
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds, seed_name
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import SliceMetricsBuilder
from tests.components.slice_evaluation.both_passes import ALL_METRICS, measure
from tests.components.slice_evaluation.made_batches import batch

TRIALS, ROWS, USERS = 100, 400, 80
METRICS = ("log_loss", "gauc", "rmse", "ece", "calibration")


def _models(name, seeds, exported):
    """Names by seed of one compared model: the exported one has the model's own."""
    return {seed: name if seed == exported else seed_name(name, seed) for seed in seeds}


THREE = _models("candidate", (4, 5, 6), 5)
ITS = _models("baseline", (1, 2, 3), 1)
#: In the order in which models are scored: what is compared, then further seeds.
SCORED = ("candidate", "baseline", "candidate, seed 4", "candidate, seed 6")


def _drawn(models, between, trials=TRIALS, seed=2):
    """So many test splits, a slice each, on which equally good models score, but for their seeds.

    A model's gain and level are drawn once per split, as a training's seed draws them.
    """
    rng = np.random.default_rng(seed)
    trial = np.repeat(np.arange(trials), ROWS)
    users = trial * USERS + rng.integers(0, USERS, len(trial))
    effect = rng.normal(size=trials * USERS)[users]
    labels = rng.random(len(trial)) < 1 / (1 + np.exp(0.5 - 0.7 * effect))
    common = 0.5 * effect + 0.6 * rng.normal(size=len(trial))
    gains = 1.2 + between * rng.normal(size=(models, trials))
    levels = 0.5 * between * rng.normal(size=(models, trials))
    own = 0.2 * rng.normal(size=(models, len(trial)))
    logits = gains[:, trial] * labels + levels[:, trial] + common + own - 1.0
    scores = 1 / (1 + np.exp(-logits))
    return batch([labels], scores[:, None], users=users, requests=1 + users, trial=trial)


def _built(made, names, by_model, chosen=METRICS):
    """By slice and place, without the slice of all rows."""
    second, spread, measured = measure([made], chosen)
    builder = SliceMetricsBuilder(
        names, ("ctr",), 0.95, ChosenMetrics(chosen), ModelSeeds(names, by_model)
    )
    built = builder.build(second.paired, spread, measured)
    return [dict(values) for key, values in built if key]


def test_names_and_places_of_seeds():
    seeds = ModelSeeds(SCORED, {"candidate": THREE})
    assert seeds.compared == ("candidate", "baseline")
    assert seeds.places("candidate") == [2, 0, 3] and seeds.places("baseline") == [1]
    assert seeds.exported("candidate") == 5 and seeds.exported("baseline") is None


def test_every_metric_is_the_mean_of_its_seeds():
    made = _drawn(4, 0.2, trials=2)
    single = _built(made, SCORED, {}, ALL_METRICS)
    for own, joined in zip(
        single, _built(made, SCORED, {"candidate": THREE}, ALL_METRICS), strict=True
    ):
        names = {name for name, model, _ in own if model == "candidate"}
        checked = 0
        for name in names:
            values = [own[name, model, "ctr"] for model in THREE.values()]
            if not isinstance(values[0], Estimate):
                continue
            found, checked = joined[name, "candidate", "ctr"], checked + 1
            assert found.value == pytest.approx(np.mean([v.value for v in values]), abs=1e-12)
            assert found.lower < found.value < found.upper, name
            for (seed, model), value in zip(THREE.items(), values, strict=True):
                assert joined[name, seed_name("candidate", seed), "ctr"] == value.value, model
            # What was trained once is what it was.
            assert joined[name, "baseline", "ctr"] == own[name, "baseline", "ctr"]
            gap = "auc_difference" if name == "auc" else f"{name}_difference"
            compared = joined[gap, "candidate vs baseline", "ctr"]
            other = own[name, "baseline", "ctr"].value
            assert compared.value == pytest.approx(found.value - other, abs=1e-12)
            assert compared.lower < compared.value < compared.upper
        assert checked == len({"auc", *ALL_METRICS})
        assert {model for _, model, _ in joined} == {
            *("candidate", "baseline", "candidate vs baseline"),
            *(seed_name("candidate", seed) for seed in THREE),
        }


def test_an_undefined_seed_makes_the_mean_undefined_and_says_why():
    made = _drawn(4, 0.2, trials=1)
    made.scores[3, 0, :7] = np.nan
    (found,) = _built(made, SCORED, {"candidate": THREE})
    assert ("auc", "candidate", "ctr") not in found
    assert found["auc_reason", "candidate", "ctr"].startswith("7 of 400 predictions are no finite")
    assert found["undefined_predictions", "candidate", "ctr"] == 7
    assert found["auc", "candidate, seed 4", "ctr"] > 0.5
    assert "the candidate has no AUC" in found["relaimp_reason", "candidate vs baseline", "ctr"]


@pytest.fixture(scope="module")
def aa():
    """Equal ways of training whose seeds differ: means of three, and of one each."""
    names = ("candidate", "baseline", *list(THREE.values())[::2], *list(ITS.values())[1:])
    made = _drawn(6, 0.2)
    return (
        _built(made, names, {"candidate": THREE, "baseline": ITS}),
        _built(made, names, {}),
    )


def _covered(found, name):
    gaps = [own[name, "candidate vs baseline", "ctr"] for own in found]
    return np.mean([gap.lower <= 0 <= gap.upper for gap in gaps])


@pytest.mark.parametrize(
    "name",
    ["auc_difference", "relaimp", "gauc_difference", "binary_crossentropy_difference",
     "rmse_difference"],
)  # fmt: skip
def test_equal_trainings_differ_by_chance_as_often_as_is_said(aa, name):
    """Three standard errors of 100 intervals of 95 % are 6.5 %."""
    several, one = aa
    assert _covered(one, name) < 0.6
    assert _covered(several, name) > 0.88


def test_an_error_of_calibration_reaches_down_by_what_is_chance(aa):
    """As that of one training does: it is above 0 of a calibrated model, too."""
    for own in aa[0][:20]:
        found = own["ece", "candidate", "ctr"]
        assert found.value - found.lower > 1.2 * (found.upper - found.value) or found.lower == 0


@pytest.mark.parametrize(
    ("scale", "ends"),
    [
        ("linear", lambda value, half: (value - half, value + half)),
        ("log", lambda value, half: (value * np.exp(-half / value), value * np.exp(half / value))),
        (
            "logit",
            lambda value, half: tuple(
                1 / (1 + np.exp(-np.log(value / (1 - value)) - sign * half / value / (1 - value)))
                for sign in (-1, 1)
            ),
        ),
    ],
)
def test_the_interval_of_a_mean_is_students_on_the_metrics_scale(scale, ends):
    from scipy import stats

    values = np.array([0.6, 0.63, 0.66])
    covariance = np.full((3, 3), 2e-4) + np.diag([1e-4] * 3)
    between, rows = values.var(ddof=1) / 3, 2e-4
    degrees = (between + rows) ** 2 / (between**2 / 2 + rows**2 / 40)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(between + rows)
    found = SeedMean.of_models(values, covariance, 40.0).estimate(0.95, scale)
    assert found.value == pytest.approx(0.63)
    assert found[1:3] == pytest.approx(ends(0.63, half))
