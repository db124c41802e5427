"""Which features of a schema were inferred, and which a person reviewed."""

from tensorflow_metadata.proto.v0 import schema_pb2

#: Tag of an inferred feature; one without it was reviewed.
INFERRED = "inferred"


def is_inferred(feature: schema_pb2.Feature) -> bool:
    """Whether nobody reviewed it."""
    return INFERRED in feature.annotation.tag


def without_marks(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """A copy for a person to review: what it says is no longer inferred."""
    reviewed = schema_pb2.Schema()
    reviewed.CopyFrom(schema)
    for feature in reviewed.feature:
        tags = [tag for tag in feature.annotation.tag if tag != INFERRED]
        del feature.annotation.tag[:]
        feature.annotation.tag.extend(tags)
        if not feature.annotation.ListFields():
            feature.ClearField("annotation")
    return reviewed
