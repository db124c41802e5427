"""What a feature's values look like."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.transform.contract.features import CategoricalFeature

#: A feature is an id of the row where this share of its values occurs once only.
_SHARE_OF_AN_ID = 0.9
_FEWEST_ROWS_OF_AN_ID = 1000


@dataclass(frozen=True)
class FeatureProfile:
    """One feature in the sample.

    Attributes:
        name: of the feature.
        kind: of the contract, and whether it is known only when training.
        type: in the logs.
        distinct: different values; of a sequence, different items.
        missing: share of the rows without a value, or with an empty sequence.
        only: the value that all rows have, as text; None where they differ.
        like_an_id: nearly every row has a value of its own, and the model embeds it.
    """

    name: str
    kind: str
    type: str
    distinct: int
    missing: float
    only: str | None
    like_an_id: bool


def profile_features(rows: CollectedRows) -> list[FeatureProfile]:
    """Profiles all features, in the contract's order."""
    return [_profile(rows, name, values) for name, values in rows.features.items()]


def _profile(rows: CollectedRows, name: str, values: pa.Array) -> FeatureProfile:
    feature = rows.contract.features[name]
    if not feature.takes_one:
        items = values.flatten()
        if feature.holds == "text":
            items = items.filter(pc.not_equal(items, pa.scalar(b"", items.type)))
        present = int(np.count_nonzero(np.diff(values.offsets.to_numpy())))
    else:
        items, present = values.drop_null(), len(values) - values.null_count
    unique = pc.unique(items)
    if not present:
        only = "no value"
    elif len(unique) == 1 and present == len(values) and feature.takes_one:
        only = str(unique[0].as_py())
    elif not feature.takes_one and _all_alike(values):
        only = "|".join(_words(item) for item in values[0].as_py())
    else:
        only = None
    like_an_id = (
        isinstance(feature, CategoricalFeature)
        and feature.embed
        and present >= _FEWEST_ROWS_OF_AN_ID
        and len(unique) > _SHARE_OF_AN_ID * present
    )
    missing = 1.0 - present / max(len(values), 1)
    kind = feature.kind + (", training only" if feature.is_training_only else "")
    type_there = rows.types.get(name, "")
    return FeatureProfile(name, kind, type_there, len(unique), missing, only, like_an_id)


def _all_alike(lists: pa.LargeListArray) -> bool:
    """Whether all rows hold the same list."""
    lengths = np.diff(lists.offsets.to_numpy())
    if (lengths != lengths[0]).any():
        return False
    # Numbers for the items: a list is compared with the first one, place by place.
    codes = lists.flatten().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    table = codes.reshape(len(lists), -1)
    return bool((table == table[0]).all())


def _words(item: bytes | float) -> str:
    return item.decode(errors="replace") if isinstance(item, bytes) else f"{item:g}"
