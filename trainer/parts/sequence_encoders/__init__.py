"""Sequence encoders: from behaviour sequences to interests, which become further fields."""

from mtlx.trainer.parts.sequence_encoders.encoder_registry import SequenceEncoderRegistry

SEQUENCE_ENCODERS = SequenceEncoderRegistry(
    "sequence encoder",
    {
        "atrank": "mtlx.trainer.parts.sequence_encoders.atrank:ATRank",
        "bst": "mtlx.trainer.parts.sequence_encoders.bst:BST",
        "dfn": "mtlx.trainer.parts.sequence_encoders.dfn:DFN",
        "dien": "mtlx.trainer.parts.sequence_encoders.dien:DIEN",
        "din": "mtlx.trainer.parts.sequence_encoders.din:DIN",
        "dmt": "mtlx.trainer.parts.sequence_encoders.dmt:DMT",
        "mean_pooling": "mtlx.trainer.parts.sequence_encoders.mean_pooling:MeanPooling",
        "none": "mtlx.trainer.parts.sequence_encoders.no_sequences:NoSequences",
        "tim": "mtlx.trainer.parts.sequence_encoders.tim:TIM",
        "youtube_net": "mtlx.trainer.parts.sequence_encoders.mean_pooling:MeanPooling",
    },
)
