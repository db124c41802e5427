"""The names under which an artifact went into an execution, or came out of it."""

from ml_metadata.proto import metadata_store_pb2


def keys_of(event: metadata_store_pb2.Event) -> list[str]:
    """All names of inputs or outputs that an event stands for, in order; none of one without.

    ML-Metadata keeps one event of a type per artifact and execution. Where an artifact is in two
    inputs, say the model blessed last is the anchor as well, TFX writes both into the event's path,
    one behind the other: its first step alone would forget the second.
    """
    return [step.key for step in event.path.steps if step.HasField("key")]
