"""Multi-task networks: from fields to one logit per task."""

from transform.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "single_task": "trainer.networks.single_task:SingleTask",
        "shared_bottom": "trainer.networks.shared_bottom:SharedBottom",
        "mmoe": "trainer.networks.mmoe:MMoE",
        "ple": "trainer.networks.ple:PLE",
        "dtn": "trainer.networks.dtn:DTN",
        "omoe": "trainer.networks.omoe:OMoE",
        "cgc": "trainer.networks.cgc:CGC",
        "esmm": "trainer.networks.esmm:ESMM",
        "aitm": "trainer.networks.aitm:AITM",
        "adatt": "trainer.networks.adatt:AdaTT",
        "adatt_sp": "trainer.networks.adatt_sp:AdaTTSp",
        "man": "trainer.networks.man:MAN",
    },
)
