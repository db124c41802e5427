"""Multi-task networks: from fields to one logit per task."""

from transform.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "single_task": "trainer.networks.single_task:SingleTask",
        "shared_bottom": "trainer.networks.shared_bottom:SharedBottom",
        "mmoe": "trainer.networks.mmoe:MMoE",
        "ple": "trainer.networks.ple:PLE",
        "small_heads": "trainer.networks.small_heads:SmallHeads",
        "dtn": "trainer.networks.dtn:DTN",
    },
)
