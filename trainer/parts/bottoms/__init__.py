"""Bottoms: from fields and interests to what the network reads."""

from mtlx.transform.config.registry import Registry

BOTTOMS = Registry(
    "bottom",
    {
        "none": "mtlx.trainer.parts.bottoms.no_bottom:NoBottom",
        "trm": "mtlx.trainer.parts.bottoms.trm:TRM",
    },
)
