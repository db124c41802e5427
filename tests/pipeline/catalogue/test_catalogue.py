import inspect
import re
from pathlib import Path

import pytest
import yaml

from mtlx.pipeline.catalogue.catalogue import REGISTRIES, count, describe, listing
from mtlx.pipeline.catalogue.yaml_example import yaml_example
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.experiment.presets import preset_names
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import SettingsError


def test_listing_names_every_registry():
    text = listing()
    networks = ", ".join(sorted(NETWORKS))
    for line in (
        f"model.network: {networks}",
        "data.reader: ali_ccp, aliexpress, census_income, csv",
        "gate.thresholds",
        "model.preset: ",
    ):
        assert line in text


def test_options_are_readable():
    text = describe("memonet")
    assert "  restore: 'lmr' or 'amr', 'lmr' by default" in text
    assert "  fields: int or list of str, 8 by default" in text
    assert "Annotated" not in text and "typing" not in text


def test_a_member_without_options_lists_none():
    assert "Options:" not in describe("none")


def _found(values, name):
    """Every place of an example that names the member."""
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        if value == name:
            yield key, values
        elif isinstance(value, dict | list):
            yield from _found(value, name)


def test_every_example_is_valid_and_has_all_options():
    for setting, registry in REGISTRIES:
        for name in registry:
            values = yaml.safe_load(yaml_example(setting, registry, name))
            if "model" in values:
                ModelSettings.read(values["model"])
            if "training" in values:
                TrainingSettings.read(values["training"])
            key, place = next(_found(values, name))
            options = next((place[k] for k in place if k.endswith("options")), place)
            given = {k: v for k, v in options.items() if k in registry.options(name)}
            if setting.startswith("interactions"):
                given["units"] = 8  # which the network sets
            assert set(given) == set(registry.options(name)), name
            registry.validate(name, given)


#: Parts of a model that leave out what others of their kind do.
_WITHOUT_EFFECT = {("model.sequence_encoder", "none"), ("model.bottom", "none")}
_LEARNING = ("model.", "interactions", "training.method", "training.loss")
_MEMBERS = [
    (setting, name)
    for setting, registry in REGISTRIES
    for name in registry
    if setting.startswith(_LEARNING) and (setting, name) not in _WITHOUT_EFFECT
]


@pytest.mark.parametrize(("setting", "name"), _MEMBERS)
def test_all_that_learns_says_what_it_was_shown_to_learn(setting, name):
    """With a number, and where a benchmark or a test is named, one that exists."""
    documentation = inspect.getdoc(dict(REGISTRIES)[setting].get(name)) or ""
    found = re.search(r"^Shown to learn:\n((?: {4}.*\n)+)", documentation + "\n", re.MULTILINE)
    assert found, "no section 'Shown to learn:'"
    text = found.group(1)
    assert re.search(r"\d\.\d", text), "no number"
    root = Path(__file__).parents[3]
    for module in re.findall(r"`benchmarks\.(\w+)`", text):
        assert (root / "benchmarks" / f"{module}.py").is_file()
    for test in re.findall(r"`(test_\w+)`", text):
        assert list(root.glob(f"tests/**/{test}.py")), test


def test_a_name_of_several_kinds_shows_all():
    text = describe("focal")
    assert text.startswith("focal (training.loss)") and "focal (model.preset)" in text
    text = describe("none")
    assert "none (model.sequence_encoder)" in text and "none (model.bottom)" in text


def test_what_all_encoders_have_is_said_of_each_that_reads():
    line = "\n  sequences: 'first' or list of str or none, None by default; names of the sequences"
    for name in SEQUENCE_ENCODERS:
        assert (line in describe(name)) == (name != "none"), name


def test_every_preset_shows_paper_equations_and_file():
    for name in preset_names():
        assert f"{name} (model.preset)" in describe(name)
    text = describe("dtn_without_tsn")
    assert "Deep Multiple Task-specific Feature Interactions" in text
    assert "DTN with A_O = [M_u, M_S]" in text
    assert "  model:\n    preset: dtn_without_tsn\n" in text
    assert "      task_sensitive: unscaled\n" in text
    assert "paper:" not in text


CENSUS = """\
name: small
data: {reader: csv, path: x.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
  user: {kind: categorical}
  city: {kind: categorical, hash_buckets: 7}
  age: {kind: numeric}
tasks:
  click: {label: click}
  buy: {label: buy}
model: {network: ple, embedding_size: 4}
"""


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(CENSUS, encoding="utf-8")
    return read_experiment(path)


def test_counted_parameters(experiment):
    text = count("single_task", experiment, 100)
    table = (2 * 103 + 10) * 4
    width = 4 * 4
    rest = 2 * 4 + 2 * (width * 256 + 256 + 256 * 128 + 128 + 128 + 1)
    assert text.splitlines()[0] == f"single_task (model.network): {table + rest:,} parameters"
    assert text.splitlines()[1].split() == ["embedding", "table", f"{table:,}"]
    assert text.splitlines()[2].split() == ["the", "rest", f"{rest:,}"]
    # The preset of this name is a model of its own, with another embedding size.
    assert f"embedding table  {table * 4:>15,}" in text


def test_counted_arrangements_have_a_table_each(experiment):
    one, two = (count(name, experiment, 100) for name in ("joint", "mdl"))
    tables = [int(text.splitlines()[1].split()[-1].replace(",", "")) for text in (one, two)]
    assert tables[1] == 2 * tables[0]


def test_what_has_no_parameters_is_not_counted(experiment):
    with pytest.raises(SettingsError, match="'masknet' has no parameters to count"):
        count("masknet", experiment, 100)


def test_unknown_name_leads_to_a_known_one():
    with pytest.raises(SettingsError, match="did you mean 'mmoe'"):
        describe("mmo")
