"""Small sizes for every registered member, and the inputs and tasks on which they are tested."""

from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

#: Options that make a member small enough for a test; members not named use their defaults.
SMALL = {
    "memonet": {"codewords": 31},
    "masknet": {"aggregation": 8},
    "single_task": {"hidden": [8]},
    "domain_task_mlp": {"hidden": [8]},
    "star": {"hidden": [8], "tower_hidden": [8], "auxiliary_hidden": [8], "domain_size": 4},
    "m2m": {"experts": 3, "expert_hidden": [8], "attention_units": 6, "knowledge_size": 8},
    "m3oe": {
        "domain_units": 16,
        "hidden": [8],
        "shared_experts": 3,
        "expert_hidden": [8],
        "tower_hidden": [8],
    },
    "pepnet": {"tower_hidden": [8], "gate_hidden": 6, "domain_size": 4},
    "home": {
        "meta_hidden": [8],
        "expert_hidden": [8],
        "tower_hidden": [8],
        "feature_rank": 3,
    },
    "stem": {"expert_hidden": [8], "tower_hidden": [8]},
    "interaction": {"interaction": {"name": "senet"}, "units": 8, "tower_hidden": [8]},
    "sfm": {
        "interaction": {"name": "dcn_m"},
        "units": 8,
        "expert_hidden": [8],
        "tower_hidden": [8],
    },
    "tfi": {
        "interactions": [{"name": "gdcn"}, {"name": "masknet", "options": {"aggregation": 8}}],
        "units": 8,
        "levels": 2,
        "expert_hidden": [8],
        "tower_hidden": [8],
    },
    "shared_bottom": {"bottom_hidden": [8], "tower_hidden": [8]},
    "mmoe": {"experts": 3, "expert_hidden": [8], "tower_hidden": [8]},
    "ple": {"expert_hidden": [8], "tower_hidden": [8]},
    "omoe": {"experts": 3, "expert_hidden": [8], "tower_hidden": [8]},
    "cgc": {"expert_hidden": [8], "tower_hidden": [8]},
    "esmm": {"tower_hidden": [8]},
    "aitm": {"tower_hidden": [8, 6]},
    "adatt": {"expert_hidden": [8], "tower_hidden": [8]},
    "adatt_sp": {"expert_hidden": [8], "tower_hidden": [8]},
    "man": {
        "task_experts": 2,
        "shared_experts": 2,
        "expert_hidden": [8],
        "tower_hidden": [8],
    },
    "tim": {"feed_forward": 8, "generator_hidden": 8},
    "trm": {"hidden": 8},
    "din": {"hidden": [8]},
    "dmt": {"feed_forward": 8},
    "bst": {"feed_forward": 8},
    "atrank": {"feed_forward": 8},
    "dfn": {"feed_forward": 8, "hidden": [8]},
    "dtn": {
        "units": 8,
        "tower_hidden": [8],
        "interactions": [
            {"name": name, "options": options}
            for name, options in [
                ("gdcn", {}),
                ("memonet", {"codewords": 31}),
                ("masknet", {"aggregation": 8}),
            ]
        ],
    },
}
TREE = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("like", "like", "click"),
    TaskSpec("buy", "buy", "cart", "cart"),
)
CATEGORICAL = tuple(CategoricalInput(name, 12) for name in ("user", "item", "city"))
FULL = ModelInputs(
    CATEGORICAL,
    (NumericInput("price"),),
    (SequenceInput("clicks", "item", 4), SequenceInput("buys", "item", 3)),
    "item",
    ("feed", "search"),
    TREE,
)
ONE_OF_EACH = ModelInputs(CATEGORICAL, (), (), None, ("all",), TREE[:1])
