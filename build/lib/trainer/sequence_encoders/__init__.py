"""Sequence encoders: from behaviour sequences to interests, which become further fields."""

from trainer.sequence_encoders.encoder_registry import SequenceEncoderRegistry

SEQUENCE_ENCODERS = SequenceEncoderRegistry(
    "sequence encoder",
    {
        "atrank": "trainer.sequence_encoders.atrank:ATRank",
        "bst": "trainer.sequence_encoders.bst:BST",
        "dfn": "trainer.sequence_encoders.dfn:DFN",
        "dien": "trainer.sequence_encoders.dien:DIEN",
        "din": "trainer.sequence_encoders.din:DIN",
        "dmt": "trainer.sequence_encoders.dmt:DMT",
        "mean_pooling": "trainer.sequence_encoders.mean_pooling:MeanPooling",
        "none": "trainer.sequence_encoders.no_sequences:NoSequences",
        "tim": "trainer.sequence_encoders.tim:TIM",
        "youtube_net": "trainer.sequence_encoders.mean_pooling:MeanPooling",
    },
)
