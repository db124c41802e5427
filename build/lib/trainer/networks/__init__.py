"""Multi-task networks: from fields to one logit per task."""

from transform.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "single_task": "trainer.networks.single_task:SingleTask",
        "shared_bottom": "trainer.networks.shared_bottom:SharedBottom",
        "mmoe": "trainer.networks.mmoe:MMoE",
        "ple": "trainer.networks.ple:PLE",
        "interaction": "trainer.networks.interaction:InteractionNetwork",
        "sfm": "trainer.networks.sfm:SFM",
        "tfi": "trainer.networks.tfi:TFI",
        "small_heads": "trainer.networks.small_heads:SmallHeads",
        "dtn": "trainer.networks.dtn:DTN",
        "domain_task_mlp": "trainer.networks.domain_task_mlp:DomainTaskMLP",
        "star": "trainer.networks.star:STAR",
        "m2m": "trainer.networks.m2m:M2M",
        "m3oe": "trainer.networks.m3oe:M3oE",
        "omoe": "trainer.networks.omoe:OMoE",
        "cgc": "trainer.networks.cgc:CGC",
        "esmm": "trainer.networks.esmm:ESMM",
        "aitm": "trainer.networks.aitm:AITM",
        "adatt": "trainer.networks.adatt:AdaTT",
        "adatt_sp": "trainer.networks.adatt_sp:AdaTTSp",
        "man": "trainer.networks.man:MAN",
        "lightgbm": "trainer.networks.tree_ensemble:TreeEnsemble",
    },
)
