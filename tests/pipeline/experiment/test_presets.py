"""Every preset is a model that can be built and trained, and expands as it should."""

import textwrap
from functools import cache
from pathlib import Path

import pytest
import yaml

from mtlx.pipeline.experiment.checked_experiment import check_options
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.experiment.presets import expand_presets, preset_names, preset_text, read_preset
from mtlx.pipeline.experiment.reference_training import reference_training
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import ModelSettings, SelectionSettings, TrainingSettings
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

CONFIGS = Path(__file__).parents[3] / "configs"

PAPERS = """
    single_task shared_bottom omoe mmoe cgc ple esmm aitm adatt adatt_sp
    man man_without_meta man_without_attention man_without_both
    dcn_m gdcn masknet_serial masknet_parallel memonet_lmr memonet_amr senet
    sfm_gdcn sfm_memonet sfm_masknet tfi_gdcn tfi_memonet tfi_masknet
    dtn dtn_without_tsn dtn_trim star m2m mlp m3oe m3oe_released
    m3oe_without_automl m3oe_concatenated m3oe_fully_gated m3oe_without_domain_module
    m3oe_without_task_module m3oe_without_domain_and_task_module
    shared_bottom_mtl shared_bottom_mdl shared_bottom_mtmd mmoe_mtl mmoe_mdl mmoe_mtmd
    ple_mtl ple_mdl ple_mtmd
    dtrn dtrn_qkv dtrn_ffn_1 dtrn_ffn_2 dtrn_shared_bottom dtrn_mmoe dtrn_ple dmt dmt_tim dmt_trm
    dmt_shared_bottom dmt_ple dmt_aitm youtube_net din dien bst atrank dfn small_heads
    pwiser pwiser_shared_bottom pwiser_ple pwiser_single_task uncertainty_weighting focal
    lightgbm
""".split()
INPUTS = ModelInputs(
    tuple(CategoricalInput(name, 9) for name in ("user", "item", "city")),
    (NumericInput("price"),),
    (SequenceInput("clicks", "item", 3), SequenceInput("buys", "item", 2)),
    "item",
    ("feed", "search"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)
#: Real contracts, without sequences; census_income has no domains and no target item either.
CONTRACTS = ("small", "census_income", "movielens_m3oe")
#: Presets whose inputs a contract does not have, and what they are refused with.
PWISER = ("pwiser", "pwiser_shared_bottom", "pwiser_ple", "pwiser_single_task")
REFUSED = {
    "small": {},
    "census_income": dict.fromkeys(PWISER, "no task comes after task 'income'"),
    "movielens_m3oe": dict.fromkeys(PWISER, "no task comes after task 'click'"),
}
EXPERIMENT = """\
name: small
data: {reader: csv, path: logs/*.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
tasks:
  click: {label: click}
"""


@pytest.fixture
def read(tmp_path):
    def function(text, overrides=()):
        path = tmp_path / "x.yaml"
        path.write_text(EXPERIMENT + textwrap.dedent(text), encoding="utf-8")
        return read_experiment(path, overrides)

    return function


def test_every_system_of_the_papers_has_a_preset():
    assert set(PAPERS) <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_valid_sections(name):
    preset = read_preset(name)
    ModelSettings.read(preset.model)
    TrainingSettings.read(preset.training)
    assert max(map(len, preset_text(name).splitlines())) <= 100


@pytest.mark.parametrize("name", preset_names())
def test_every_number_of_a_preset_says_where_it_is_from(name):
    preset = read_preset(name)
    paths = preset.number_paths()
    assert [path for path in paths if preset.source_of(path) is None] == []
    named = [prefix for prefixes in preset.paper.numbers.values() for prefix in prefixes]
    # Nor does a header speak of what the preset has not, or has no more.
    assert [p for p in named if not any(q == p or q.startswith(f"{p}.") for q in paths)] == []


def test_the_longest_path_says_where_a_number_is_from():
    preset = read_preset("dtn")
    numbers = {"ours": ["model.options"], "DTN": ["model.options.units"]}
    known = preset.model_copy(
        update={"paper": preset.paper.model_copy(update={"numbers": numbers})}
    )
    assert known.source_of("model.options.units") == "DTN"
    assert known.source_of("model.options.interactions.gdcn.options.layers") == "ours"
    assert known.source_of("model.optionsandmore") is None


@cache
def _inputs(contract):
    if contract == "small":
        return INPUTS
    experiment = read_experiment(CONFIGS / f"{contract}.yaml")
    return model_inputs(experiment.contract, lambda _: 5)


@cache
def _built(contract, settings):
    """The default losses of a model, and whether it has fusion weights.

    Presets that differ only in training are the same model, which is built once.
    """
    model = ModelSettings.from_json(settings)
    built = build_model(_inputs(contract), model)
    if not isinstance(built, GradientModel):
        return (), False
    return built.default_losses, bool(built.fusion_variables)


def _build_losses(losses, contract):
    for loss in losses:
        LOSSES.build(loss["name"], loss.get("options", {}), _inputs(contract).tasks)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_builds_and_its_losses_and_method_are_known(name, contract):
    preset = read_preset(name)
    model = ModelSettings.read({**preset.model, "embedding_size": 4})
    training = TrainingSettings.read(preset.training)
    default_losses, has_fusion = _built(contract, model.to_json())
    method = method_of(model, training)
    TRAINING_METHODS.validate(method, training.method_options)
    assert (method == "bi_level") == has_fusion
    losses = preset.training.get("loss", default_losses)
    if name in REFUSED[contract]:
        with pytest.raises(ValueError, match=REFUSED[contract][name]):
            _build_losses(losses, contract)
    else:
        _build_losses(losses, contract)


@pytest.mark.parametrize("name", ["youtube_net", "din", "dien", "bst", "atrank", "dmt"])
def test_systems_of_one_behaviour_type_read_the_first_sequence(name):
    model = ModelSettings.read({**read_preset(name).model, "embedding_size": 4})
    built = build_model(INPUTS, model)
    several = name in ("atrank", "dmt")
    assert built.encoder.sequence_names == (["clicks", "buys"] if several else ["clicks"])


def test_the_behaviour_type_of_a_preset_can_be_named(read):
    named = "model: {preset: din, sequence_options: {sequences: [buys], softmax: true}}\n"
    assert read(named).model.sequence_options == {"sequences": ["buys"], "softmax": True}
    other = "model: {preset: din, sequence_encoder: none}\n"
    assert read(other).model.sequence_options == {}


def test_own_keys_win_and_options_are_merged(read):
    experiment = read("""\
        model: {preset: mmoe, embedding_size: 8, options: {experts: 3}}
        training: {epochs: 2}
    """)
    model = experiment.model
    assert (model.network, model.embedding_size) == ("mmoe", 8)
    assert model.options == {**read_preset("mmoe").model["options"], "experts": 3}
    assert (experiment.training.epochs, experiment.training.l2) == (2, 1e-6)


def test_m3oes_systems_select_by_the_mean_of_the_aucs_of_domains_and_tasks(read):
    found = read("model: {preset: m3oe}\n").training.select_by
    assert (found.metric, found.domains, found.shrinkage) == ("auc", "mean", 0)
    assert read("model: {preset: m3oe}\ntraining: {select_by: log_loss}\n").training.select_by == (
        SelectionSettings(metric="log_loss")
    )
    assert read("model: {preset: dtn}\n").training.select_by == SelectionSettings()


def test_overrides_reach_a_preset(read):
    experiment = read("model: {preset: mmoe}\n", ["model.options.experts=5", "training.l2=0"])
    assert experiment.model.options["experts"] == 5
    assert experiment.training.l2 == 0
    assert read("model: {network: ple}\n", ["model={preset: omoe}"]).model.network == "omoe"


def test_options_of_another_member_are_left_out():
    values = {"model": {"preset": "mmoe", "network": "star"}}
    assert "options" not in expand_presets(values)["model"]
    values = {"model": {"preset": "dtn_trim"}, "training": {"method": "standard"}}
    assert "method_options" not in expand_presets(values)["training"]
    values["training"] = {"method_options": {"fine_tune_epochs": 2}}
    options = expand_presets(values)["training"]["method_options"]
    assert options == {"threshold": 0.1, "fine_tune_epochs": 2}


def test_sections_without_preset_stay_as_they_are():
    values = {"model": {"network": "ple"}, "gate": {"reference": {"network": "mmoe"}}, "x": 3}
    assert expand_presets(values) == values
    assert expand_presets({"model": None, "gate": []}) == {"model": None, "gate": []}


@pytest.mark.parametrize("key", ["model", "gate.reference"])
def test_unknown_preset_has_line_and_nearest_name(read, key, tmp_path):
    text = "model: {preset: mmo}\n"
    if key != "model":
        text = "model: {network: ple}\ngate:\n  reference:\n    preset: mmo\n"
    with pytest.raises(ExperimentFileError) as caught:
        read(text)
    line = 7 if key == "model" else 10
    expected = f"{tmp_path / 'x.yaml'}:{line}: {key}.preset: unknown preset 'mmo', did you mean"
    assert str(caught.value).startswith(expected)


def test_errors_beside_a_preset_keep_their_line(read, tmp_path):
    with pytest.raises(ExperimentFileError) as caught:
        read("model:\n  preset: mmoe\n  embedding_sise: 8\n")
    assert str(caught.value).startswith(f"{tmp_path / 'x.yaml'}:7: model: unknown setting")
    with pytest.raises(ExperimentFileError) as caught:
        read("model:\n  preset: mmoe\n  embedding_size: big\n")
    assert str(caught.value).startswith(f"{tmp_path / 'x.yaml'}:9: model.embedding_size: ")
    with pytest.raises(SettingsError, match="unknown preset 3"):
        expand_presets({"model": {"preset": 3}})


def test_a_reference_takes_model_method_and_losses_of_its_preset_alone(read):
    experiment = read("""\
        model: {network: mmoe}
        training: {batch_size: 512}
        gate: {baseline: reference, reference: {preset: dtn_trim, embedding_size: 4}}
    """)
    assert experiment.training.method is None and experiment.training.learning_rate == 1e-3
    assert experiment.gate.reference.network == "dtn"
    assert experiment.gate.reference.embedding_size == 4
    trained = reference_training(experiment)
    assert (trained.method, trained.method_options) == ("gate_trim", {"threshold": 0.1})
    assert trained.batch_size == 512
    check_options(experiment)


def test_method_and_losses_of_the_candidates_preset_are_not_the_references(read):
    experiment = read("""\
        model: {preset: m3oe_released}
        gate: {reference: {network: mmoe}}
    """)
    assert experiment.training.method == "bi_level"
    assert experiment.training.loss[0].name == "domain_cross_entropy"
    trained = reference_training(experiment)
    assert (trained.method, trained.method_options, trained.loss) == (None, {}, None)
    assert (trained.batch_size, trained.l2) == (40_960, 1e-5)
    check_options(experiment)


def test_method_options_are_those_of_the_candidates_method(read):
    text = """\
        model: {network: m3oe}
        training: {method_options: {batch_from: train}}
        gate: {reference: {network: NAME}}
    """
    experiment = read(text.replace("NAME", "mmoe"))
    check_options(experiment)
    assert experiment.training.method_options == {"batch_from": "train"}
    assert reference_training(experiment).method_options == {}
    same = read(text.replace("NAME", "m3oe"))
    assert reference_training(same).method_options == {"batch_from": "train"}
    with pytest.raises(ExperimentFileError, match="training.method: unknown option 'batch_from'"):
        check_options(read(text.replace("m3oe", "ple").replace("NAME", "m3oe")))


def test_the_reference_may_have_a_method_of_its_own(read):
    text = """\
        model: {network: dtn}
        training: {method: gate_trim, method_options: {threshold: 0.2}, epochs: 3}
        gate:
          reference: {network: ple}
          reference_training: {method: meta, method_options: {RATE: 0.1}}
    """
    experiment = read(text.replace("RATE", "adaptation_rate"))
    check_options(experiment)
    trained = reference_training(experiment)
    assert (trained.method, trained.method_options) == ("meta", {"adaptation_rate": 0.1})
    assert trained.epochs == 3
    with pytest.raises(ExperimentFileError, match="gate.reference_training.method: unknown option"):
        check_options(read(text.replace("RATE", "adaptation")))


def test_wrong_reference_training_is_refused_with_its_line(read, tmp_path):
    text = "model: {network: ple}\ngate:\n  reference: {network: mmoe}\n  reference_training:\n"
    with pytest.raises(ExperimentFileError) as caught:
        read(text + "    epochs: 0\n")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'x.yaml'}:11: gate.reference_training.epochs: ")


def test_the_sections_of_a_preset_can_be_pasted(read):
    for name in preset_names():
        text = preset_text(name)
        pasted = read(text[text.index("\nmodel:") + 1 :])
        named = read(yaml.safe_dump({"model": {"preset": name}}))
        assert pasted == named
