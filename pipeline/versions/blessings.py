"""Takes blessings away and gives them back, in ML-Metadata.

What a resolver and Pusher read of a blessing is its custom property ``blessed``; the files in its
folder stay what the gate wrote. All that a roll back changes is written in one call, so that the
store has all of it or nothing.
"""

import dataclasses

import ml_metadata
from ml_metadata import errors
from ml_metadata.proto import metadata_store_pb2
from tfx.components.evaluator import constants

from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.withdrawn import WITHDRAWN_PROPERTY
from mtlx.pipeline.run.workplace import StoreLost

_ARTIFACT = metadata_store_pb2.Artifact
_BLESSED = constants.ARTIFACT_PROPERTY_BLESSED_KEY
_MODEL_ID = constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """What the store knows of one pipeline's models.

    Attributes:
        models: Model artifacts by id.
        blessings: of its models.
    """

    models: dict[int, metadata_store_pb2.Artifact]
    blessings: list[metadata_store_pb2.Artifact]

    @classmethod
    def of(cls, store: ml_metadata.MetadataStore, name: str) -> "Pipeline":
        """Reads the models and blessings of a pipeline; none where the store does not know it."""
        context = store.get_context_by_type_and_name("pipeline", name)
        artifacts = store.get_artifacts_by_context(context.id) if context else []
        types = {}
        for kind in ("Model", "ModelBlessing"):
            try:
                types[kind] = store.get_artifact_type(kind).id
            except errors.NotFoundError:
                types[kind] = None
        return cls(
            {found.id: found for found in artifacts if found.type_id == types["Model"]},
            [found for found in artifacts if found.type_id == types["ModelBlessing"]],
        )

    def model_of(self, record: PushRecord) -> metadata_store_pb2.Artifact | None:
        """The artifact that a version was copied from; None where the store has none, or no more.

        One that was cleaned away can be nobody's baseline: resolvers leave it alone.
        """
        for model in self.models.values():
            if model.state not in (_ARTIFACT.UNKNOWN, _ARTIFACT.LIVE):
                continue
            folder = model.uri.rstrip("/")
            if record.model.rstrip("/") == folder or record.model.startswith(f"{folder}/"):
                return model
        return None


def roll_back_blessings(
    store: ml_metadata.MetadataStore,
    pipeline: str,
    target: PushRecord,
    withdrawn: list[PushRecord],
) -> bool:
    """Makes a version's model the baseline, and takes the blessing from what came after it.

    Args:
        store: ML-Metadata.
        pipeline: name of the pipeline.
        target: the record of the version that is brought back.
        withdrawn: records of the versions that are withdrawn. Of models that were blessed after
            the target and never pushed the blessings are taken as well: else one of those would
            be the baseline.

    Returns:
        Whether the target is the model that the next run is compared with; it is not where no
        blessing of it is known, as of a model that was pushed without a gate.

    Raises:
        StoreLost: the store does not know the target's model.
    """
    known = Pipeline.of(store, pipeline)
    model = known.model_of(target)
    if model is None:
        raise StoreLost(
            f"the metadata store knows no model {target.model} of {pipeline}: it was emptied, "
            "replaced or set back, or the model was cleaned away"
        )
    changed = {}
    for record in withdrawn:
        other = known.model_of(record)
        if other is not None and other.id != model.id:
            _set(other, WITHDRAWN_PROPERTY, 1)
            changed[other.id] = other
    gone = {number for number in known.models if number > model.id} | set(changed)
    is_baseline = False
    for blessing in known.blessings:
        of = blessing.custom_properties[_MODEL_ID].int_value
        if of in gone and _get(blessing, _BLESSED) == constants.BLESSED_VALUE:
            _set(blessing, _BLESSED, constants.NOT_BLESSED_VALUE)
            _set(blessing, WITHDRAWN_PROPERTY, 1)
            changed[blessing.id] = blessing
        elif of == model.id and _get(blessing, WITHDRAWN_PROPERTY):
            _set(blessing, _BLESSED, constants.BLESSED_VALUE)
            _set(blessing, WITHDRAWN_PROPERTY, 0)
            changed[blessing.id] = blessing
        is_baseline |= of == model.id and _get(blessing, _BLESSED) == constants.BLESSED_VALUE
    if _get(model, WITHDRAWN_PROPERTY):
        _set(model, WITHDRAWN_PROPERTY, 0)
        changed[model.id] = model
    if changed:
        store.put_artifacts(list(changed.values()))
    return is_baseline


def _get(artifact: metadata_store_pb2.Artifact, name: str) -> int:
    properties = artifact.custom_properties
    return properties[name].int_value if name in properties else 0


def _set(artifact: metadata_store_pb2.Artifact, name: str, value: int) -> None:
    artifact.custom_properties[name].int_value = value
