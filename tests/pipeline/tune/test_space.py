import pytest

from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.tune.own_settings import own_settings
from mtlx.pipeline.tune.space import Axis, as_override, read_space
from tests.pipeline.compare import planted_domains


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    planted_domains.write_log(folder)
    return planted_domains.write_experiment(folder)


def space(experiment, text, options=True, given=()):
    given = (*given, f"search={text}")
    read = checked_experiment if options else read_experiment
    search = read_experiment(experiment, given).search
    check = lambda more: read(experiment, (*given, *more))  # noqa: E731
    return read_space(str(experiment), given, search, check, options)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "search: says what is varied, and is not there or empty"),
        (
            "{training.learning_rat: {log: [0.1, 1]}}",
            "search.training.learning_rat: 0.1 is refused: training: unknown setting "
            "'learning_rat', did you mean 'learning_rate'",
        ),
        ("{trainin.learning_rate: {log: [0.1, 1]}}", "did you mean 'training'"),
        ("{data.path: {choices: [a, b]}}", "a search varies settings of model and training"),
        ("{training: {choices: [1, 2]}}", "a search varies settings of model and training"),
        ("{training.learning_rate: {range: [-1, 1]}}", "-1 is refused: training.learning_rate"),
        ("{training.epochs: {range: [0, 4]}}", "0 is refused: training.epochs: 0 trains nothing"),
        ("{training.optimizer: {choices: [adam, adm]}}", "adm is refused: training.optimizer"),
        ("{training.embeddings.shard: {choices: [true, false]}}", "no result depends on it"),
        ("{training.seed: {range: [1, 4]}}", "cannot be varied: it says how far chance goes"),
        ("{training.select_by.metric: {choices: [auc, log_loss]}}", "trials are compared by it"),
        ("{training.optimizer.rate: {range: [1, 4]}}", "1 is refused"),
    ],
)
def test_what_is_no_setting_of_a_trial_is_refused_before_any_class_is_asked(experiment, text, says):
    with pytest.raises(ExperimentFileError) as error:
        space(experiment, text, options=False)
    assert says in str(error.value) and str(error.value).startswith(f"--set search={text}: search")
    assert "\n" not in str(error.value)


def test_options_are_held_against_their_classes(experiment):
    with pytest.raises(ExperimentFileError, match="hiden.*did you mean 'tower_hidden'"):
        space(experiment, "{model.options.hiden: {choices: [[4], [8]]}}")
    with pytest.raises(ExperimentFileError, match="search.model.network: mmo is refused.*'mmoe'"):
        space(experiment, "{model.network: {choices: [mmoe, mmo]}}")


@pytest.mark.parametrize(
    ("network", "text", "says"),
    [
        (
            "lightgbm",
            "{training.learning_rate: {log: [0.01, 1]}}",
            "search.training.learning_rate: training method 'gradient_boosting' does not read "
            "training.learning_rate, so that all trials would be the same: vary "
            "training.method_options (trees, learning_rate, ",
        ),
        (
            "lightgbm",
            "{training.schedule.warm_up_steps: {range: [0, 9]}}",
            "'gradient_boosting' does not read training.schedule",
        ),
        (
            "lightgbm",
            "{model.embedding_size: {range: [4, 8]}}",
            "network 'lightgbm' reads the features themselves and has no embedding_size",
        ),
        (
            "star",
            "{model.sequence_encoder: {choices: [din, dien]}}",
            "no feature is a sequence, so that all trials would be the same",
        ),
    ],
)
def test_what_no_model_of_the_space_reads_is_refused(experiment, network, text, says):
    given = (f"model={{network: {network}}}",)
    with pytest.raises(ExperimentFileError) as error:
        space(experiment, text, given=given)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith("--set search=") and "Received: {" in str(error.value)


def test_what_one_model_of_the_space_reads_is_varied(experiment):
    rate = "training.learning_rate: {log: [0.01, 1]}"
    text = f"{{model.network: {{choices: [lightgbm, star]}}, {rate}}}"
    found = space(experiment, text, given=("model={network: lightgbm}",))
    assert list(found.axes) == ["model.network", "training.learning_rate"]
    options = "{training.method_options.learning_rate: {log: [0.01, 1]}}"
    assert space(experiment, options, given=("model={network: lightgbm}",)).axes


def test_a_setting_of_the_file_is_refused_with_its_line(tmp_path):
    planted_domains.write_log(tmp_path)
    search = {"training.l2": {"range": [0, 1]}}
    path = planted_domains.write_experiment(tmp_path, search=search, model={"network": "lightgbm"})
    line = path.read_text().splitlines().index("  training.l2:") + 1
    read = checked_experiment(path)
    with pytest.raises(ExperimentFileError) as error:
        read_space(str(path), (), read.search, lambda more: checked_experiment(path, more), True)
    assert str(error.value).startswith(f"{path}:{line}: search.training.l2: training method")


def test_whole_numbers_are_tried_where_a_setting_takes_no_others(experiment):
    text = (
        "{training.batch_size: {log: [8, 64]}, training.l2: {range: [0, 1]}, "
        "model.options.experts: {range: [1, 3]}, model.options.temperature: {range: [1, 2]}, "
        "training.patience: {range: [1, 9], step: 4}}"
    )
    given = ("model={network: mmoe}",)
    text = text.replace("model.options.temperature: {range: [1, 2]}, ", "")
    axes = space(experiment, text, given=given).axes
    assert {name: axis.whole for name, axis in axes.items()} == {
        "training.batch_size": True,
        "training.l2": False,
        "model.options.experts": True,
        "training.patience": True,
    }
    assert axes["training.patience"].choices == [1, 5, 9]
    assert axes["training.l2"].choices is None


def test_numbers_are_as_short_as_they_can_be_and_within_the_bounds(experiment):
    axis = space(experiment, "{training.learning_rate: {log: [0.00123442, 0.1]}}").axes[
        "training.learning_rate"
    ]
    assert axis.taken(0.01234567) == 0.01235
    assert axis.taken(0.00123442) == 0.00123442
    stepped = Axis(axis.dimension.read({"range": [0.0, 1.0], "step": 0.1}))
    assert stepped.taken(0.3000001) == 0.3 and len(stepped.choices) == 11


def test_settings_on_the_command_line_are_the_values_that_they_were(experiment):
    assert as_override("training.l2", 1e-5) == "training.l2=1.0e-05"
    small = read_experiment(experiment, [as_override("training.l2", 1e-5)])
    assert small.training.l2 == 1e-5
    assert as_override("model.options", {"a": [1, "b, c"]}) == "model.options={a: [1, 'b, c']}"


def test_own_settings_are_those_of_the_file_and_of_the_class_behind_it(experiment):
    read = checked_experiment(experiment, ("model={network: mmoe}",))

    def own(text):
        return own_settings(read, space(experiment, text, given=("model={network: mmoe}",)))

    found = own(
        "{training.learning_rate: {log: [1e-3, 1]}, model.options.experts: {range: [1, 9]}}"
    )
    assert found["training.learning_rate"] == 0.02
    assert 1 <= found["model.options.experts"] <= 9
    assert own("{training.learning_rate: {log: [0.1, 1]}}") is None


def test_own_settings_are_those_of_the_method_and_the_schedule_behind_the_file(experiment):
    given = ("model={network: lightgbm}",)
    text = "{training.method_options.trees: {choices: [1, 500]}}"
    found = own_settings(
        checked_experiment(experiment, given), space(experiment, text, given=given)
    )
    assert found == {"training.method_options.trees": 500}
    given = ("training.schedule={name: plateau}",)
    text = (
        "{training.schedule.options.patience: {range: [1, 4]}, "
        "training.method: {choices: [standard, bi_level]}}"
    )
    found = own_settings(
        checked_experiment(experiment, given), space(experiment, text, given=given)
    )
    assert found == {"training.schedule.options.patience": 1, "training.method": "standard"}


def test_the_number_of_trials_that_there_are(experiment):
    text = "{training.batch_size: {range: [8, 9]}, training.optimizer: {choices: [adam, sgd]}}"
    assert space(experiment, text).size == 4
    assert space(experiment, "{training.l2: {range: [0, 1]}}").size is None
    assert space(experiment, "{training.batch_size: {log: [1, 1000000000]}}").size is None
