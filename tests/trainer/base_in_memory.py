"""A base model that lies in no folder, and a contract of the inputs that members are tested on."""

from types import SimpleNamespace

import numpy as np

from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.settings import WarmStartSettings
from mtlx.trainer.warm_start.warm_start import WarmStart
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.data_contract import DataContract

#: What gives `small_members.FULL` where every vocabulary holds nine values.
CONTRACT = {
    "features": {
        "user": {"kind": "categorical"},
        "item": {"kind": "categorical"},
        "city": {"kind": "categorical"},
        "scenario": {"kind": "categorical", "embed": False},
        "price": {"kind": "numeric"},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 4},
        "buys": {"kind": "sequence", "of": "item", "max_length": 3},
    },
    "tasks": {
        "click": {"label": "click"},
        "cart": {"label": "cart", "after": "click"},
        "like": {"label": "like", "after": "click"},
        "buy": {"label": "buy", "after": "cart", "population": "cart"},
    },
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
}
#: Vocabularies of yesterday.
BEFORE = {name: [f"{name}{n}".encode() for n in range(9)] for name in ("user", "item", "city")}
#: Of today: two values are gone, two are new, and the others stand elsewhere.
AFTER = {
    name: [values[8], f"{name}_a".encode(), *values[5:8], *values[2:5], f"{name}_b".encode()]
    for name, values in BEFORE.items()
}


def contract(**sections):
    """`CONTRACT` with other sections; a feature that is None is left out."""
    changed = {**CONTRACT, **sections}
    features = {**CONTRACT["features"], **sections.get("features", {})}
    features = {name: feature for name, feature in features.items() if feature is not None}
    return DataContract.read({**changed, "features": features})


class BaseInMemory:
    """The interface of `BaseModel`.

    Args:
        model: whose weights it has.
        settings: of the model.
        of: its data contract.
        vocabularies: its vocabularies by feature.
        state: what else it has.
    """

    folder = "yesterday's model"

    def __init__(self, model, settings, of=None, vocabularies=BEFORE, state=None):
        self.record = SimpleNamespace(contract=of or contract(), model=settings)
        self._vocabularies, self._state = vocabularies, state or {}
        values = [np.array(variable) for variable in model.variables]
        self._weights = dict(zip(weight_names(model.variables), values, strict=True))

    @property
    def inputs(self):
        return model_inputs(self.record.contract, lambda name: len(self._vocabularies[name]))

    def vocabulary(self, feature):
        return self._vocabularies[feature]

    def weights(self):
        return self._weights

    def state(self, group=None):
        return self._state if group is None else {group: self._state.get(group, {})}


def warm_start(base, inputs, settings, build, of=None, vocabularies=AFTER, **changes):
    """A `WarmStart` from it."""
    return WarmStart(
        WarmStartSettings.model_validate({"from": "latest_blessed", **changes}),
        base,
        of or contract(),
        settings,
        inputs,
        vocabularies.__getitem__,
        build,
    )


def ids_of_today(features):
    """Features of yesterday's ids with today's: of the values that are in both vocabularies."""
    moved = {}
    for name, ids in features.items():
        field = "item" if name in ("clicks", "buys") else name
        if field not in BEFORE:
            moved[name] = ids
            continue
        today = np.arange(12)
        for place, value in enumerate(BEFORE[field]):
            # A value that is gone is unknown.
            today[3 + place] = 3 + AFTER[field].index(value) if value in AFTER[field] else 2
        moved[name] = today[np.asarray(ids)]
    return moved
