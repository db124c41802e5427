"""Feature-interaction modules: from fields to one wide vector per copy."""

from mtlx.transform.config.registry import Registry

INTERACTIONS = Registry(
    "interaction",
    {
        "dcn_m": "mtlx.trainer.parts.interactions.dcn_m:DCNM",
        "gdcn": "mtlx.trainer.parts.interactions.gdcn:GDCN",
        "masknet": "mtlx.trainer.parts.interactions.masknet:MaskNet",
        "memonet": "mtlx.trainer.parts.interactions.memonet:MemoNet",
        "senet": "mtlx.trainer.parts.interactions.senet:SENet",
    },
)
