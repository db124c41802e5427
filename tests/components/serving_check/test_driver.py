"""TFX's cache may repeat that a model can be served, and not that it cannot."""

from types import SimpleNamespace

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from mtlx.components.serving_check.driver import LOOK, Driver


@pytest.fixture
def look(tmp_path):
    """What the driver puts into the cache's key for a model, after checks of some models."""
    connection = metadata.Metadata(
        metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    )

    def function(model, *checks):
        if checks:
            with connection as handle:
                kind = metadata_store_pb2.ArtifactType(name="InfraBlessing")
                number = handle.store.put_artifact_type(kind)
                for properties in checks:
                    artifact = metadata_store_pb2.Artifact(type_id=number)
                    for name, value in properties.items():
                        artifact.custom_properties[name].int_value = value
                    handle.store.put_artifacts([artifact])
        given = standard_artifacts.Model()
        given.id = model
        info = SimpleNamespace(input_dict={"model": [given]})
        return Driver(connection).run(info).exec_properties[LOOK].string_value

    return function


def _check(model, blessed, checked=1):
    return {"current_model_id": model, "blessed": blessed, "checked": checked}


def test_the_first_check_of_all_has_an_empty_history(look):
    assert look(7) == ""


def test_what_passed_may_be_repeated_and_what_the_gate_held_back_too(look):
    assert look(7, _check(7, 1), _check(7, 0, checked=0), _check(8, 0)) == ""


def test_a_refused_model_is_looked_at_anew_every_time(look):
    first = look(7, _check(7, 0), _check(7, 1))
    assert first and look(7) not in ("", first)
