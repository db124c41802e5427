"""Sequence encoders: from behaviour sequences to interests, which become further fields."""

from transform.registry import Registry

SEQUENCE_ENCODERS = Registry(
    "sequence encoder",
    {
        "mean_pooling": "trainer.sequence_encoders.mean_pooling:MeanPooling",
        "none": "trainer.sequence_encoders.no_sequences:NoSequences",
    },
)
