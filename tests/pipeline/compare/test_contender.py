import pytest

from mtlx.pipeline.compare.contender import Contender, UnknownModel, read_contenders
from mtlx.pipeline.experiment.overrides import parse_override


def test_labels_settings_and_lists():
    found = read_contenders(
        "mmoe, wide=ple:model.options.tower_hidden=[64,32]:training.learning_rate=0.01"
    )
    assert found == [
        Contender("mmoe", "mmoe"),
        Contender(
            "wide", "ple", ("model.options.tower_hidden=[64,32]", "training.learning_rate=0.01")
        ),
    ]


def test_a_network_that_has_a_presets_name_can_be_meant():
    found = read_contenders("mmoe,network:mmoe,bare=network:mmoe:training.learning_rate=0.01")
    assert [one.label for one in found] == ["mmoe", "network:mmoe", "bare"]
    assert found[2] == Contender("bare", "network:mmoe", ("training.learning_rate=0.01",))
    made = [one.overrides("configs/default.yaml", ())[0] for one in found]
    assert made[0] == 'model={"preset": "mmoe"}'
    assert made[1] == made[2] == 'model={"network": "mmoe"}'
    with pytest.raises(UnknownModel, match="'network:mmo', did you mean 'network:mmoe'"):
        read_contenders("mmoe,network:mmo")
    with pytest.raises(UnknownModel, match="unknown model 'network'"):
        read_contenders("mmoe,network")


def test_an_unknown_model_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownModel, match=r"unknown model 'mmoee', did you mean 'mmoe'\?"):
        read_contenders("ple,mmoee")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mmoe,mmoe", "'mmoe' stands there twice; give one of them a label, such as again=mmoe"),
        ("mmoe", "name two or more models"),
        ("mmoe,ple:gate.baseline=none", "expected model.KEY=VALUE or training.KEY=VALUE"),
        ("mmoe,=ple", "the label before '=' is empty"),
    ],
)
def test_what_is_no_list_of_models_is_refused(text, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        read_contenders(text)


def test_the_files_training_holds_but_for_what_is_its_candidates_own(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text("training: {epochs: 3, method: bi_level, loss: [{name: focal}]}\n")
    given = ("model.embedding_size=8",)
    made = dict(
        parse_override(text, ["model", "training"])
        for text in Contender("m3oe", "m3oe", ("training.seed=4",)).overrides(path, given)
    )
    assert made == {
        ("model",): {"preset": "m3oe"},
        ("training",): {"epochs": 3},
        ("model", "embedding_size"): 8,
        ("training", "seed"): 4,
    }
    assert Contender("file", "file").overrides(path, given) == given
