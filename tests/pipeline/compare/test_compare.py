import dataclasses

import pytest

from mtlx.pipeline.command_line import main
from mtlx.pipeline.commands.command import EXIT_FAILED
from mtlx.pipeline.compare.compare import Compare
from mtlx.pipeline.compare.comparison_page import comparison_page
from mtlx.pipeline.compare.comparison_record import OVERALL
from mtlx.pipeline.compare.comparison_table import comparison_table
from mtlx.pipeline.compare.contender import read_contenders
from mtlx.pipeline.compare.ranking import ranks, sentences
from mtlx.pipeline.trainings import work
from mtlx.pipeline.trainings.processes import TaskFailed
from mtlx.pipeline.trainings.task import Evaluation, Prepared, Training
from tests.pipeline.compare import planted_domains

LINEAR = "linear=single_task:model.options.hidden=[]"
SMALL = "model.options.hidden=[8]:model.options.tower_hidden=[8]:model.options.normalize=false"
#: Too small for a second split, and so for a rule of one domain.
TREES = "trees=lightgbm:training.method_options={trees: 3, rows_per_leaf: 300}"
MODELS = ",".join(
    (
        LINEAR,
        f"own=star:{SMALL}",
        f"twin=star:{SMALL}:training.seed=11",
        "wild=single_task:training.learning_rate=1e30",
        "odd=star:model.options.hidden=wide",
        TREES,
    )
)


class Runner:
    """Does tasks in this process, and notes them; ends before the last of `stop` trainings."""

    def __init__(self, stop=None):
        self.trained, self.evaluated, self._stop = [], [], stop

    def __call__(self, task, folder, on_progress):
        done = self.trained if isinstance(task, Training) else self.evaluated
        if isinstance(task, Training) and len(self.trained) == self._stop:
            raise KeyboardInterrupt
        done.append(folder)
        try:
            work.do(type(task).__name__, dataclasses.asdict(task), folder)
        except Exception as error:
            raise TaskFailed(str(error)) from error


def _compare(folder, runner, models=MODELS, **changes):
    given = {
        "path": str(folder / "experiment.yaml"),
        "given": (),
        "data_root": None,
        "folder": folder / "comparison",
        "contenders": read_contenders(models),
        "reference": "linear",
        "seeds": 3,
        "run": runner,
        **changes,
    }
    return Compare(**given)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison that was killed when the third model began, and gone on with."""
    folder = tmp_path_factory.mktemp("compared")
    planted_domains.write_log(folder)
    planted_domains.write_experiment(folder)
    killed, resumed = Runner(stop=2), Runner()
    with pytest.raises(KeyboardInterrupt):
        _compare(folder, killed).run()
    compare = _compare(folder, resumed)
    compare.run()
    return folder, compare.record, killed, resumed


def test_network_wins_by_its_idea_and_equal_ones_are_undecided(compared):
    _, record, _, _ = compared
    found = {rank.label: rank for rank in ranks(record, "click")}
    assert [found[label].against_reference for label in ("own", "twin")] == ["better", "better"]
    assert found["linear"].against_best == "worse"
    assert [found[label].against_best for label in ("own", "twin")] == ["undecided", "undecided"]
    assert {found["own"].place, found["twin"].place} == {1, 2}
    second = next(label for label in ("own", "twin") if found[label].place == 2)
    assert (
        record.row(second).over_best["click"].lower
        < 0
        < record.row(second).over_best["click"].upper
    )
    assert f"whether it is better than {second} is not decided" in sentences(record)[0]


def test_what_is_finished_is_not_done_again(compared):
    folder, record, killed, resumed = compared
    assert len(killed.trained) == 2
    # The third, the one that diverges, and the trees.
    assert len(resumed.trained) == 3
    assert not set(killed.trained) & set(resumed.trained)
    assert not set(killed.evaluated) & set(resumed.evaluated)
    assert len(list(folder.glob("comparison/root/artifacts/Transform/transform_graph/*"))) == 1


def test_more_models_and_another_order_train_nothing_again(compared):
    folder, record, _, _ = compared
    runner = Runner()
    compare = _compare(folder, runner, f"own=star:{SMALL},{LINEAR}")
    compare.run()
    assert runner.trained == runner.evaluated == []
    assert compare.record.row("own").measured == record.row("own").measured


def test_the_command_tells_what_is_finished_and_which_model_failed(compared, capsys):
    folder, record, _, _ = compared
    models = f"{LINEAR},own=star:{SMALL},odd=star:model.options.hidden=wide"
    ends = main(
        ["compare", str(folder / "experiment.yaml"), "--models", models, "--seeds", "3"]
        + ["--out", str(folder / "comparison")]
    )
    shown = capsys.readouterr().out
    assert ends == EXIT_FAILED
    value = record.row("own").measured["click", OVERALL].value
    assert f"{value:.4f}" in shown and "odd is not compared: model: Input should be" in shown
    page = (folder / "comparison" / "comparison.html").read_text(encoding="utf-8")
    assert f"{value:.4f}" in page and "twin" not in page


def test_a_model_that_fails_is_a_row(compared):
    _, record, _, _ = compared
    assert "lower training.learning_rate" in record.row("wild").failed
    assert record.row("odd").failed.startswith("model: Input should be a valid list")
    assert not any(record.row(label).failed for label in ("linear", "own", "twin", "trees"))


def test_trees_have_no_seeds_and_are_compared_with_the_means_of_those_that_have(compared):
    _, record, _, _ = compared
    trees, linear, own = (record.row(label) for label in ("trees", "linear", "own"))
    value = trees.measured["click", OVERALL]
    assert value.by_seed == {} and value.lower < value.value < value.upper
    over = trees.over_reference["click", OVERALL]
    assert over.value == pytest.approx(trees.value("click") - linear.value("click"))
    assert over.lower < over.value < over.upper
    first = ranks(record, "click")[0].label
    behind = trees.over_best["click"]
    assert behind.value == pytest.approx(trees.value("click") - record.row(first).value("click"))
    assert behind.value < 0 and own.value("click") > trees.value("click")


def test_values_are_means_over_seeds_in_every_slice(compared):
    _, record, _, _ = compared
    assert record.clusters == "user_id"
    for place in (OVERALL, "domain=home", "domain=search"):
        own = record.row("own").measured["click", place]
        assert list(own.by_seed) == [1, 2, 3]
        assert own.value == pytest.approx(sum(own.by_seed.values()) / 3)
        assert own.lower < own.value < own.upper
        over = record.row("own").over_reference["click", place]
        other = record.row("linear").measured["click", place]
        assert over.value == pytest.approx(own.value - other.value)
    assert list(record.row("twin").measured["click", OVERALL].by_seed) == [11, 12, 13]
    assert record.row("own").parameters > record.row("own").embedding_parameters > 0
    assert record.row("own").rows_per_second > 0


def test_page_and_table_show_all_of_it(compared):
    _, record, _, _ = compared
    page, table = comparison_page(record), "\n".join(comparison_table(record))
    for text in (page, table):
        assert "twin" in text and "domain=search" in text and "better" in text
        assert "lower training.learning_rate" in text
    assert "<script" not in page and "http" not in page.split("<main")[1].replace("www.w3.org", "")
    assert "wild is not compared" in table


@pytest.fixture(scope="module")
def by_days(tmp_path_factory):
    """On days of logs, with clicks and with numbers of which some are zero."""
    folder = tmp_path_factory.mktemp("by_days")
    planted_domains.write_experiment(
        folder,
        data=planted_domains.write_days(folder, days=3, rows=300),
        tasks={"click": {"label": "click"}, "watch": {"label": "watch", "kind": "regression"}},
    )
    slow = "slow=single_task:model.options.hidden=[]:training.learning_rate=1.0e-6"
    runner = Runner()
    models = f"{slow},{LINEAR},{TREES},star"
    compare = _compare(folder, runner, models, reference="slow", seeds=1)
    compare.run()
    return folder, compare.record


def test_the_newest_day_tests_and_the_others_train(by_days):
    _, record = by_days
    assert record.row("linear").measured["click", OVERALL].examples == 300
    assert record.row("linear").value("click") > 0.8


def test_numbers_are_compared_by_an_error_of_which_less_is_better(by_days):
    _, record = by_days
    assert record.metrics == {"click": "auc", "watch": "rmse"}
    first, second = ranks(record, "watch")
    assert (first.label, first.against_reference) == ("linear", "better")
    assert (second.label, second.against_best) == ("slow", "worse")
    assert record.row("linear").over_reference["watch", OVERALL].upper < 0
    assert "watch: linear is the best" in " ".join(sentences(record))


def test_what_cannot_take_numbers_is_a_row_without_settings_that_nobody_gave(by_days):
    _, record = by_days
    assert "'lightgbm' knows labels 0 and 1 alone" in record.row("trees").failed
    assert "training.select_by.metric is 'auc', and task 'watch'" in record.row("star").failed
    assert "--set" not in record.row("star").failed


def test_evaluations_of_other_settings_are_others(tmp_path):
    prepared = Prepared("graph", ("examples",), "[]", False)
    one = Evaluation("{}", '{"slices": []}', "/a/1", None, prepared)
    assert one.folder(tmp_path) != dataclasses.replace(one, settings="{}").folder(tmp_path)
    assert one.folder(tmp_path) != dataclasses.replace(one, other="/a/2").folder(tmp_path)
