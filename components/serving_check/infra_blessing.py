"""The artifact that says whether a model can be served, in TFX's own form."""

import os

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.types import standard_artifacts
from tfx.utils import io_utils, path_utils

# TFX's InfraValidator has these names; its module would bring Docker's client along.
BLESSED_PROPERTY, MODEL_PROPERTY = "blessed", "has_model"
_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}

#: Of the model that was checked, as the gate's blessing has it.
MODEL_ID_PROPERTY, _MODEL_URI_PROPERTY = "current_model_id", "current_model_uri"
#: 0 where the model was not even served, since the gate held it back.
CHECKED_PROPERTY = "checked"


def bless(
    infra_blessing: types.Artifact, model: types.Artifact, blessed: bool, checked: bool = True
) -> None:
    """Marks the artifact with what Pusher and the resolvers read.

    Args:
        infra_blessing: of type InfraBlessing.
        model: that was checked.
        blessed: whether it can be served.
        checked: whether that was tried.
    """
    infra_blessing.set_int_custom_property(BLESSED_PROPERTY, int(blessed))
    infra_blessing.set_int_custom_property(CHECKED_PROPERTY, int(checked))
    infra_blessing.set_int_custom_property(MODEL_ID_PROPERTY, model.id)
    infra_blessing.set_string_custom_property(_MODEL_URI_PROPERTY, model.uri)
    io_utils.write_string_file(os.path.join(infra_blessing.uri, _FILES[blessed]), "")


def model_with_warm_up(infra_blessing: types.Artifact) -> str | None:
    """Folder of the model with warm-up requests; None where the artifact holds none."""
    if not infra_blessing.get_int_custom_property(MODEL_PROPERTY):
        return None
    return str(path_utils.stamped_model_path(infra_blessing.uri))


def was_refused(blessing: metadata_store_pb2.Artifact, models: set[int]) -> bool:
    """Whether a record of ML-Metadata says that one of these models could not be served."""
    properties = blessing.custom_properties
    return (
        properties[MODEL_ID_PROPERTY].int_value in models
        and properties[CHECKED_PROPERTY].int_value == 1
        and properties[BLESSED_PROPERTY].int_value == 0
    )


def infra_blessed_models(blessings: list[types.Artifact]) -> dict[int, bool]:
    """Whether a model can be served, by its id; of several checks the last one holds.

    Args:
        blessings: the history; those that no ServingCheck gave name no model, and are left out.
    """
    found = {}
    for blessing in sorted(blessings, key=lambda one: one.id):
        if not isinstance(blessing, standard_artifacts.InfraBlessing):
            continue
        model = blessing.get_int_custom_property(MODEL_ID_PROPERTY)
        if model and blessing.get_int_custom_property(CHECKED_PROPERTY):
            found[model] = blessing.get_int_custom_property(BLESSED_PROPERTY) == 1
    return found
