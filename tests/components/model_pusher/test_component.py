"""The component in a pipeline with a metadata store: what it pushes, and what it writes down."""

import os
from pathlib import Path

import pytest
from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts

from mtlx.components.model_pusher.component import ModelPusher
from mtlx.components.model_pusher.executor import Executor
from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.pushed_version import PushFailed
from mtlx.pipeline.run import node_run
from tests import tfx_parts as tfx


def _artifact(kind, uri, **properties):
    made = kind()
    made.uri = str(uri)
    for name, value in properties.items():
        made.set_int_custom_property(name, value)
    return made


@pytest.fixture
def execute(tmp_path, make_model):
    """Executes once; returns the artifact PushedModel."""

    def function(model, base, blessed=None, infra_blessed=None, versioning=0):
        inputs = {"model": [_artifact(standard_artifacts.Model, model)]}
        if blessed is not None:
            blessing = _artifact(standard_artifacts.ModelBlessing, tmp_path, blessed=blessed)
            inputs["model_blessing"] = [blessing]
        if infra_blessed is not None:
            blessing = _artifact(standard_artifacts.InfraBlessing, tmp_path, blessed=infra_blessed)
            inputs["infra_blessing"] = [blessing]
        pushed = _artifact(
            standard_artifacts.PushedModel, tmp_path / f"pushed-{os.urandom(4).hex()}"
        )
        destination = (
            f'{{"filesystem": {{"base_directory": "{base}", "versioning": {versioning}}}}}'
        )
        Executor().Do(inputs, {"pushed_model": [pushed]}, {"push_destination": destination})
        return pushed

    return function


@pytest.fixture
def model(make_model):
    """A Model artifact's folder, which holds the model under TFX's name."""
    served = Path(make_model("artifact/Format-Serving"))
    return served.parent


@pytest.mark.parametrize(
    ("blessed", "infra_blessed", "is_pushed"),
    [
        (1, None, True),
        (0, None, False),
        (1, 1, True),
        (1, 0, False),
        (0, 1, False),
        (None, None, True),
    ],
)
def test_blessings_decide_as_for_the_stock_pusher(
    execute, model, tmp_path, blessed, infra_blessed, is_pushed
):
    base = tmp_path / "serving"
    pushed = execute(model, base, blessed, infra_blessed)
    assert pushed.get_int_custom_property("pushed") == is_pushed
    assert base.exists() == is_pushed
    if is_pushed:
        assert pushed.get_string_custom_property("pushed_destination") == str(base / "1")
        assert pushed.get_string_custom_property("pushed_version") == "1"
        # The artifact has a copy of its own, as the stock one has.
        digest = model_digest(str(model / "Format-Serving"))
        assert model_digest(pushed.uri) == model_digest(str(base / "1")) == digest


def test_models_of_other_seeds_are_not_pushed(execute, model, make_model, tmp_path):
    """They lie beside the exported one, in the same artifact, and stay there."""
    make_model("artifact/repeats/1")
    make_model("artifact/repeats/3")
    (model / "repeats" / "repeats.json").write_text("{}")
    pushed = execute(model, tmp_path / "serving", 1)
    assert [path.name for path in (tmp_path / "serving").glob("[!.]*")] == ["1"]
    digest = model_digest(str(model / "Format-Serving"))
    assert model_digest(pushed.uri) == model_digest(str(tmp_path / "serving" / "1")) == digest
    assert not list((tmp_path / "serving").rglob("*repeats*"))


def test_what_fails_is_said_in_one_line_and_nothing_is_pushed(execute, model, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PushFailed, match=r"^nothing was pushed to .*file/below: .*Not a directory"):
        execute(model, tmp_path / "file" / "below", 1)


def test_time_stamps_as_numbers_are_refused(execute, model, tmp_path):
    stamps = pusher_pb2.Versioning.UNIX_TIMESTAMP
    with pytest.raises(NotImplementedError, match="counting on"):
        execute(model, tmp_path / "serving", 1, versioning=stamps)


class Chain:
    """One pipeline root and store; each run pushes what it is given."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.db"))

    def run(self, model, run_id, serving="serving"):
        importer = tfx.dsl.Importer(
            source_uri=str(model), artifact_type=standard_artifacts.Model
        ).with_id("Candidate")
        destination = pusher_pb2.PushDestination(
            filesystem={"base_directory": str(self._folder / serving)}
        )
        pusher = ModelPusher(model=importer.outputs["result"], push_destination=destination)
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="push",
            pipeline_root=str(self._folder / "root"),
            components=[importer, pusher.with_id("Pusher")],
            metadata_connection_config=self._connection,
            enable_cache=True,
        )
        ir = compiler.Compiler().compile(pipeline)
        node_run.bind_parameters(ir, run_id)
        outcomes = [node_run.run_node(ir, node) for node in ("Candidate", "Pusher")]
        (uri,) = outcomes[1].outputs["pushed_model"]
        with metadata.Metadata(self._connection) as handle:
            (artifact,) = handle.store.get_artifacts_by_uri(uri)
        return artifact.custom_properties["pushed_destination"].string_value, outcomes[1].state


def test_the_serving_folder_is_looked_at_in_every_run(tmp_path, make_model):
    """TFX's cache alone would say that the first model is served, which the second replaced."""
    chain, base = Chain(tmp_path), tmp_path / "serving"
    models = {name: Path(make_model(f"{name}/Format-Serving")).parent for name in "ab"}
    assert chain.run(models["a"], "1")[0] == str(base / "1")
    assert PushRecord.load(str(base / "1")).run_id == "1"
    assert chain.run(models["a"], "2")[0] == str(base / "1")
    assert chain.run(models["b"], "3")[0] == str(base / "2")
    assert chain.run(models["a"], "4")[0] == str(base / "3")
    # A run that goes on does not push twice.
    assert chain.run(models["b"], "4")[0] == str(base / "3")


def test_a_push_whose_record_was_lost_makes_no_second_version(tmp_path, make_model):
    model = Path(make_model("a/Format-Serving")).parent
    Chain(tmp_path / "one").run(model, "1", "../serving")
    # Another root, whose store knows nothing of the push: two roots, one serving folder.
    assert Chain(tmp_path / "two").run(model, "2", "../serving")[0].endswith("serving/1")
    other = Path(make_model("b/Format-Serving")).parent
    assert Chain(tmp_path / "two").run(other, "3", "../serving")[0].endswith("serving/2")
