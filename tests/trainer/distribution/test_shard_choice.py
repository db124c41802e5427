"""Tables are shared out where it pays and goes, refused where it was asked for and does not go."""

from types import SimpleNamespace

import pytest

from mtlx.trainer.distribution import shard_choice
from mtlx.trainer.distribution.shard_choice import shard_tables
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

MODEL = ModelSettings(network="mmoe", embedding_size=16)
#: Of 1 GiB, and of one row less.
LARGE, SMALL = 2**24, 2**24 - 1


@pytest.fixture
def choose(monkeypatch):
    """What is chosen for a table of so many rows by workers of so many devices each."""

    def function(rows=LARGE, workers=2, devices=1, of_method=True, **settings):
        several = lambda strategy: SimpleNamespace(several=workers > 1)  # noqa: E731
        monkeypatch.setattr(shard_choice, "WorkerGroup", several)
        inputs = ModelInputs(
            (CategoricalInput("item", rows),), (), (), None, ("all",), (TaskSpec("a", "b"),)
        )
        strategy = SimpleNamespace(
            num_replicas_in_sync=workers * devices,
            extended=SimpleNamespace(worker_devices=["device"] * devices),
        )
        training = TrainingSettings.read({"optimizer": "lazy_adam", **settings})
        return shard_tables(training, MODEL, of_method, inputs, strategy)

    return function


def test_auto_shards_large_tables_of_several_workers(choose):
    assert choose() == (True, [])
    assert choose(SMALL) == choose(workers=1) == (False, [])
    assert choose(embeddings={"shard": False}) == (False, [])
    assert choose(SMALL, embeddings={"shard": True}) == (True, [])
    assert choose(SMALL, workers=1, embeddings={"shard": True}) == (False, [])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"optimizer": "adam"}, "optimizer 'adam' moves every row"),
        ({"warm_start": {"from": "x", "optimizer": True}}, "warm_start.optimizer takes over"),
        ({"of_method": False}, "training method needs whole tables"),
        ({"workers": 1, "devices": 2}, "the GPUs of one machine hold copies"),
        ({"devices": 2}, "workers of one device each"),
    ],
)
def test_what_can_t_be_sharded_is_said_by_auto_and_refused_when_it_is_asked_for(
    choose, settings, why
):
    chosen, (note,) = choose(**settings)
    assert not chosen and "(1.0 GiB, without" in note and why in note
    assert choose(SMALL, **settings) == (False, [])
    with pytest.raises(SettingsError, match=why) as raised:
        choose(SMALL, **settings, embeddings={"shard": True})
    assert [path for path, _ in raised.value.problems] == [("embeddings", "shard")]
