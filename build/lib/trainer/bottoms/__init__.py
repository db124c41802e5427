"""Bottoms: from fields and interests to what the network reads."""

from transform.registry import Registry

BOTTOMS = Registry(
    "bottom",
    {
        "none": "trainer.bottoms.no_bottom:NoBottom",
        "trm": "trainer.bottoms.trm:TRM",
    },
)
