"""Where the rows of an embedding table come from: by the values of every field."""

from collections.abc import Callable

import numpy as np

from mtlx.trainer.warm_start.row_map import NEW, RowMap, places
from mtlx.transform.analysis.analysis import vocabulary_requests
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, ModelInputs


class Vocabularies:
    """Today's vocabularies beside those of a base model.

    Args:
        contract: today's.
        today: a feature's name to its values, in the order of their ids.
        base: the same of the base model.
    """

    def __init__(
        self,
        contract: DataContract,
        today: Callable[[str], list[bytes]],
        base: Callable[[str], list[bytes]],
    ) -> None:
        self._names = set(vocabulary_requests(contract))
        self._today, self._base = today, base
        self._places: dict[str, tuple[np.ndarray, int]] = {}

    def places(self, field: str) -> np.ndarray | None:
        """Where each value of a field stood; None for one whose ids mean the same every day."""
        if field not in self._names:
            return None
        if field not in self._places:
            before = self._base(field)
            self._places[field] = places(self._today(field), before), len(before)
        return self._places[field][0]

    def describe(self) -> list[str]:
        """A line for each field that was asked for."""
        return [
            f"Values of {field}: {int(np.sum(found != NEW)):,} taken over, "
            f"{int(np.sum(found == NEW)):,} new, "
            f"{before - int(np.sum(found != NEW)):,} dropped out."
            for field, (found, before) in self._places.items()
        ]


def field_rows(field: str, cardinality: int, size: int, vocabularies: Vocabularies) -> RowMap:
    """The rows of a weight that has one for each id of one field.

    Args:
        field: its name.
        cardinality: its ids today.
        size: its ids in the base model.
        vocabularies: of both.
    """
    own = np.arange(cardinality)
    found = vocabularies.places(field)
    if found is not None:
        own[FIRST_VALUE_ID:] = np.where(found == NEW, NEW, found + FIRST_VALUE_ID)
    old = np.where(np.arange(size) < FIRST_VALUE_ID, -1, 0)
    return RowMap(own, np.zeros(cardinality, np.int64), old)


def embedding_rows(today: ModelInputs, base: ModelInputs, vocabularies: Vocabularies) -> RowMap:
    """The rows of a joint table of all categorical fields.

    Ids that stand for no value (padding, missing, out of vocabulary) keep their rows, and so do
    hash buckets and quantiles.

    Args:
        today: what the model reads.
        base: what the base model read: the same fields.
        vocabularies: of both.
    """
    rows, groups, old_groups, start = [], [], [], 0
    sizes = {field.name: field.cardinality for field in base.tables}
    for index, field in enumerate(today.tables):
        size = sizes[field.name]
        own = field_rows(field.name, field.cardinality, size, vocabularies).rows
        rows.append(np.where(own == NEW, NEW, own + start))
        groups.append(np.full(field.cardinality, index))
        old_groups.append(np.where(np.arange(size) < FIRST_VALUE_ID, -1, index))
        start += size
    return RowMap(np.concatenate(rows), np.concatenate(groups), np.concatenate(old_groups))
