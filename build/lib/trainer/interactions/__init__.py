"""Feature-interaction modules: from fields to one wide vector per copy."""

from transform.registry import Registry

INTERACTIONS = Registry(
    "interaction",
    {
        "dcn_m": "trainer.interactions.dcn_m:DCNM",
        "gdcn": "trainer.interactions.gdcn:GDCN",
        "masknet": "trainer.interactions.masknet:MaskNet",
        "memonet": "trainer.interactions.memonet:MemoNet",
        "senet": "trainer.interactions.senet:SENet",
    },
)
