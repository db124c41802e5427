"""Feature-interaction modules: from fields to one wide vector per copy."""

from transform.registry import Registry

INTERACTIONS = Registry(
    "interaction",
    {
        "gdcn": "trainer.interactions.gdcn:GDCN",
        "masknet": "trainer.interactions.masknet:MaskNet",
        "memonet": "trainer.interactions.memonet:MemoNet",
    },
)
