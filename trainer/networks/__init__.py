"""What `model.network` may name: networks, from fields to one logit per task, and trees."""

from mtlx.transform.config.registry import Registry

NETWORKS = Registry(
    "network",
    {
        "single_task": "mtlx.trainer.networks.single_task:SingleTask",
        "shared_bottom": "mtlx.trainer.networks.shared_bottom:SharedBottom",
        "mmoe": "mtlx.trainer.networks.mmoe:MMoE",
        "ple": "mtlx.trainer.networks.ple:PLE",
        "interaction": "mtlx.trainer.networks.interaction:InteractionNetwork",
        "sfm": "mtlx.trainer.networks.sfm:SFM",
        "tfi": "mtlx.trainer.networks.tfi:TFI",
        "small_heads": "mtlx.trainer.networks.small_heads:SmallHeads",
        "dtn": "mtlx.trainer.networks.dtn.dtn:DTN",
        "domain_task_mlp": "mtlx.trainer.networks.domain_task_mlp:DomainTaskMLP",
        "star": "mtlx.trainer.networks.star:STAR",
        "m2m": "mtlx.trainer.networks.m2m:M2M",
        "m3oe": "mtlx.trainer.networks.m3oe.m3oe:M3oE",
        "omoe": "mtlx.trainer.networks.omoe:OMoE",
        "cgc": "mtlx.trainer.networks.cgc:CGC",
        "esmm": "mtlx.trainer.networks.esmm:ESMM",
        "aitm": "mtlx.trainer.networks.aitm:AITM",
        "adatt": "mtlx.trainer.networks.adatt:AdaTT",
        "adatt_sp": "mtlx.trainer.networks.adatt_sp:AdaTTSp",
        "man": "mtlx.trainer.networks.man:MAN",
        "pepnet": "mtlx.trainer.networks.pepnet:PEPNet",
        "home": "mtlx.trainer.networks.home.home:HoME",
        "stem": "mtlx.trainer.networks.stem:STEM",
        # No network but a whole model, see `mtlx.trainer.model.build_model`.
        "lightgbm": "mtlx.trainer.model.tree_model:TreeModel",
    },
)
