"""Which epoch is kept, on planted validation results of which the right choice is known."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.trainer.settings import SelectionSettings, TrainingSettings
from mtlx.trainer.validation.measure import measure
from mtlx.trainer.validation.selection import Selection
from mtlx.trainer.validation.validation import Validation
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

#: The mean of the AUCs, which alone decided before there were these settings.
MEAN_AUC = {"metric": "auc", "shrinkage": 0}
ROWS, CONVERSIONS = 6400, 12
EPOCHS = 8


def _selection(names=(), task_weights=None, **settings):
    return Selection(SelectionSettings.read(settings), task_weights, names)


def _kept(selection, validations):
    """Number of the epoch that is kept, and of the one after which patience 2 ends."""
    best, kept, without_gain = None, 0, 0
    for epoch, validation in enumerate(validations, start=1):
        value = selection.score(validation).value
        if selection.is_better(value, best):
            best, kept, without_gain = value, epoch, 0
        else:
            without_gain += 1
        if without_gain == 2:
            return kept, epoch
    return kept, len(validations)


def _labels_and_logits(random, rows, logit, spread):
    truth = logit + spread * random.normal(size=rows)
    return (random.random(rows) < 1 / (1 + np.exp(-truth))).astype(int), truth


def _predicted(random, truth, learnt, logit, wander=0.15):
    """The part of the truth that is learnt, and noise that wanders from epoch to epoch."""
    noise = wander * random.normal(size=truth.size)
    return 1 / (1 + np.exp(-(logit + learnt * (truth - logit) + noise)))


def _funnel(seed):
    """Per epoch, the visits' signal is learnt little by little; conversions say next to nothing.

    Visits have an AUC of 0.56 at first and 0.65 at last. Of conversions there is no signal; the
    model moves its predictions at random, as it does by what the other task teaches it.
    """
    random = np.random.default_rng(seed)
    visits, visit_truth = _labels_and_logits(random, ROWS, -2.0, 0.6)
    conversions = np.zeros(ROWS, int)
    conversions[random.choice(ROWS, CONVERSIONS, replace=False)] = 1
    rate = np.full(ROWS, np.log(CONVERSIONS / ROWS))
    return [
        Validation(
            {
                "visit": measure(visits, _predicted(random, visit_truth, learnt, -2.0)),
                "conversion": measure(conversions, _predicted(random, rate, 1.0, rate, 0.4)),
            }
        )
        for learnt in np.linspace(0.1, 1.0, EPOCHS)
    ]


def test_a_rare_tasks_noise_no_longer_keeps_an_early_epoch():
    """The mean AUC keeps a poor model in most trials, the default in none."""
    selections = {
        "old": _selection(**MEAN_AUC),
        "new": _selection(),
        "unshrunk": _selection(shrinkage=0),
    }
    lost = {name: [] for name in selections}
    for validations in [_funnel(seed) for seed in range(40)]:
        visits = [validation.auc["visit"] for validation in validations]
        assert visits[0] < 0.6 < 0.625 < visits[-1]
        for name, selection in selections.items():
            kept, _ = _kept(selection, validations)
            lost[name].append(max(visits) - visits[kept - 1])
    old, new, unshrunk = (np.array(values) for values in lost.values())
    assert np.mean(old > 0.015) > 0.5
    assert new.max() < 0.015 and new.mean() < 0.003
    assert unshrunk.mean() > 3 * new.mean()


def test_without_shrinkage_a_rare_task_has_more_say():
    shares = [_selection(shrinkage=k).shares(_funnel(0)[0]) for k in (0, 100)]
    assert shares[0] == {"visit": 0.5, "conversion": 0.5}
    positives = _funnel(0)[0].tasks["visit"].positives
    own = {"visit": positives / (positives + 100), "conversion": CONVERSIONS / (CONVERSIONS + 100)}
    assert shares[1]["conversion"] == pytest.approx(own["conversion"] / sum(own.values()))
    assert sum(shares[1].values()) == pytest.approx(1)


def _overfitting(seed):
    """A task that is at its best in the third epoch, then grows too sure of itself."""
    random = np.random.default_rng(seed)
    labels, truth = _labels_and_logits(random, ROWS, -1.0, 1.0)
    sharpness = [0.5, 0.8, 1.0, 1.3, 1.7, 2.2, 2.8, 3.5]
    return [
        Validation({"click": measure(labels, _predicted(random, truth, learnt, -1.0))})
        for learnt in sharpness
    ]


def test_a_task_with_many_positives_that_overfits_is_still_stopped():
    """The order stays right all along, so that the AUC does not see it."""
    for seed in range(5):
        assert _kept(_selection(), _overfitting(seed)) == (3, 5)
    assert _kept(_selection(metric="auc"), _overfitting(0))[1] > 5


def test_a_weight_of_zero_takes_a_tasks_say():
    validations = [
        Validation({**one.tasks, "click": two.tasks["click"]})
        for one, two in zip(_funnel(1), _overfitting(1), strict=True)
    ]
    alone = [Validation({"visit": v.tasks["visit"]}) for v in validations]
    silent = {"click": 0, "conversion": 0}
    expected = _kept(_selection(), alone)
    assert _kept(_selection(), validations) != expected
    assert _kept(_selection(task_weights=silent), validations) == expected
    named = Selection(SelectionSettings.read({"task_weights": silent}), {"click": 9.0}, ())
    assert _kept(named, validations) == expected, "select_by's weights go before training's"
    assert named.score(validations[0]).tasks["click"] is None
    assert _selection(task_weights=silent).warnings(validations[0]) == []
    training = TrainingSettings.read({"task_weights": silent})
    tasks = tuple(TaskSpec(name, name) for name in validations[0].tasks)
    inputs = ModelInputs((), (), (), None, ("all",), tasks)
    assert _kept(Selection.of(training, inputs), validations) == expected


def _reference(kind, labels, scores):
    """The metric by scikit-learn."""
    if kind == "auc":
        return roc_auc_score(labels, scores)
    if kind == "relative_auc":
        return (roc_auc_score(labels, scores) - 0.5) / 0.5
    loss = log_loss(labels, scores)
    base = log_loss(labels, np.full(labels.size, labels.mean()))
    return loss / base if kind == "normalised_entropy" else loss


@pytest.mark.parametrize("kind", ["normalised_entropy", "log_loss", "auc", "relative_auc"])
@pytest.mark.parametrize("domains", [(), ("feed", "search", "shop")])
def test_the_value_is_the_weighted_mean_of_the_metric(kind, domains):
    random = np.random.default_rng(3)
    tasks, of_domain = {}, {domain: {} for domain in domains}
    values, weights = [], []
    domain_id = random.choice(3, 3000, p=[0.7, 0.25, 0.05])
    for task, logit, weight in (("click", -1.0, 2.0), ("buy", -3.0, 0.5)):
        labels, truth = _labels_and_logits(random, 3000, logit, 1.0)
        scores = _predicted(random, truth, 0.7, logit)
        tasks[task] = measure(labels, scores)
        for own in [domain_id == index for index in range(len(domains))] or [slice(None)]:
            rarer = min(labels[own].sum(), (1 - labels[own]).sum())
            values.append(_reference(kind, labels[own], scores[own]))
            weights.append(weight * rarer / (rarer + 30))
        for index, domain in enumerate(domains):
            own = domain_id == index
            of_domain[domain][task] = measure(labels[own], scores[own])
    if kind == "relative_auc":
        expected = np.exp(np.average(np.log(values), weights=weights))
    else:
        expected = np.average(values, weights=weights)
    selection = _selection(
        domains, {"click": 2.0, "buy": 0.5}, metric=kind, shrinkage=30,
        domains="mean" if domains else "together",
    )  # fmt: skip
    found = selection.score(Validation(tasks, {}, of_domain))
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert list(found.tasks) == ["click", "buy"]


def test_the_old_form_is_the_plain_mean_of_the_aucs():
    for validation in _funnel(2):
        value = _selection(**MEAN_AUC).score(validation).value
        assert value == pytest.approx(np.mean(list(validation.auc.values())), abs=1e-12)


def test_domains_are_averaged_where_the_settings_say_so():
    """A small domain that gets worse, while the large one, and so all rows together, get better."""
    random = np.random.default_rng(5)
    labels, truth = _labels_and_logits(random, ROWS, -1.0, 1.2)
    small = np.arange(ROWS) < ROWS // 20

    def epoch(large_learnt, small_learnt):
        learnt = np.where(small, small_learnt, large_learnt)
        scores = _predicted(np.random.default_rng(6), truth, learnt, -1.0)
        domains = {"small": small, "large": ~small}
        return Validation(
            {"click": measure(labels, scores)},
            {},
            {name: {"click": measure(labels[own], scores[own])} for name, own in domains.items()},
        )

    epochs = [epoch(0.1, 0.8), epoch(0.3, -0.2)]
    together, mean = (
        _selection(("small", "large"), metric="auc", shrinkage=0, domains=domains)
        for domains in ("together", "mean")
    )
    assert together.domains == () and mean.domains == ("small", "large")
    assert _kept(together, epochs)[0] == 2
    assert _kept(mean, epochs)[0] == 1
    assert "mean over domains" in mean.name
    one = _selection(("all",), domains="mean")
    assert one.domains == () and one.score(epochs[0]) == _selection().score(epochs[0])


def _counted(positives, rows):
    labels = np.arange(rows) < positives
    return measure(labels, np.full(rows, 0.3))


def test_a_task_of_one_class_does_not_select_and_this_is_said():
    validation = Validation({"click": _counted(400, 1000), "buy": _counted(0, 1000)})
    selection = _selection()
    score = selection.score(validation)
    assert score.tasks["buy"] is None and score.value == score.tasks["click"]
    assert selection.shares(validation) == {"click": 1.0, "buy": 0.0}
    (warning,) = selection.warnings(validation)
    assert warning.startswith("Task 'buy' has no say in what is kept: ")
    with pytest.raises(ValueError, match="no task with both positive and negative rows and a wei"):
        selection.score(Validation({"buy": _counted(0, 9)}))
    with pytest.raises(ValueError, match="no task with both positive and negative rows and a wei"):
        _selection(task_weights={"click": 0}).score(Validation({"click": _counted(3, 9)}))
    assert not selection.selects(Validation({"buy": _counted(0, 0)}))


def test_a_task_with_too_few_rows_to_select_by_is_named_with_its_numbers():
    validation = Validation({"click": _counted(500, 6400), "buy": _counted(12, 6400)})
    (warning,) = _selection().warnings(validation)
    assert "Task 'buy' has too few validation rows" in warning
    assert "12 positives of 6,400 rows" in warning and "choice is 11%" in warning
    (warning,) = _selection().warnings(Validation({"click": _counted(970, 1000)}))
    assert "30 negatives of 1,000 rows" in warning
    assert _selection().warnings(Validation({"click": _counted(100, 1000)})) == []

    domains = {
        "feed": {"click": _counted(300, 900)},
        "search": {"click": _counted(20, 90)},
        "shop": {"click": _counted(0, 10)},
    }
    mean = _selection(tuple(domains), domains="mean")
    silent, few = mean.warnings(Validation({"click": _counted(320, 1000)}, {}, domains))
    assert "no say in what is kept in 1 of 3 domains (shop)" in silent
    assert "fewer than 100: search 20 positives of 90 rows" in few


def test_a_metrics_name_stands_for_its_settings():
    read = TrainingSettings.read({"select_by": "auc"})
    assert read.select_by == SelectionSettings(metric="auc")
    assert read == TrainingSettings.from_json(read.to_json())
    assert TrainingSettings().select_by.metric == "normalised_entropy"
    with pytest.raises(SettingsError, match="select_by.*'aucc'"):
        TrainingSettings.read({"select_by": "aucc"})
    with pytest.raises(SettingsError, match="select_by: unknown setting 'metrik', did you mean"):
        TrainingSettings.read({"select_by": {"metrik": "auc"}})
    with pytest.raises(SettingsError, match="select_by.shrinkage"):
        TrainingSettings.read({"select_by": {"shrinkage": -1}})
