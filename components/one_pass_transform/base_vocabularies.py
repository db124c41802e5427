"""Keeps the vocabularies of a base model, and adds the values that are new."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.trainer.warm_start.base_model import BaseModel, BaseModelError
from mtlx.transform.analysis.analysis import VocabularyRequest, vocabulary_requests
from mtlx.transform.contract.data_contract import DataContract

#: What an empty vocabulary's file holds, since a lookup table needs a line; no value equals it.
EMPTY_VOCABULARY = b"\x01empty"


def checked_base(folder: str) -> str:
    """Looks at a base model before anything is read of the rows.

    Args:
        folder: of the base model.

    Returns:
        The folder.

    Raises:
        BaseModelError: there is no model, or one that says nothing of itself.
    """
    try:
        BaseModel(folder).inputs  # noqa: B018 (reads the vocabularies, which may be gone)
    except BaseModelError as error:
        raise BaseModelError(
            f"training.warm_start: {error}. To begin anew on the whole window, run once with "
            "--set training.warm_start=null"
        ) from error
    return folder


def base_vocabularies(folder: str, contract: DataContract) -> dict[str, list[bytes]]:
    """The vocabularies of a base model, of the features that have one today as well.

    What stands for a missing value by today's contract is in none: it is not looked for there.

    Args:
        folder: of the base model.
        contract: today's.
    """
    base = BaseModel(folder)
    kept = [name for name in vocabulary_requests(contract) if name in base.record.vocabularies]
    return {name: without_markers(base.vocabulary(name), contract) for name in kept}


def without_markers(values: list[bytes], contract: DataContract) -> list[bytes]:
    """Leaves out what stands for a missing value, blanks at its ends left out."""
    markers = {text.encode() for text in contract.missing}
    return [value for value in values if value.strip() not in markers]


def grown_vocabulary(
    base: list[bytes], values: np.ndarray, counts: np.ndarray, request: VocabularyRequest
) -> list[bytes]:
    """The base model's values in their order, and behind them the new ones, the frequent first.

    A value of the base model stays however seldom it is in the new rows: a single day lacks many.
    A new one needs `min_count` of them. Where both are more than `top_k`, those go that occur
    least in the new rows, of equally frequent ones the new ones, then the last of the base's.

    Args:
        base: values of the base model.
        values: ``(n,)``, what the new rows hold, in the order in which it is to be added.
        counts: ``(n,)``, how often.
        request: what today's contract asks for.
    """
    before = pa.array([one for one in base if one != EMPTY_VOCABULARY], pa.binary())
    now = pa.array(values, pa.binary())
    known = pc.is_in(now, value_set=before).to_numpy(zero_copy_only=False)
    added = ~known & (counts >= request.min_count)
    kept = [*before.to_pylist(), *values[added]]
    if request.top_k is None or len(kept) <= request.top_k:
        return kept
    places = pc.index_in(before, value_set=now).to_numpy(zero_copy_only=False)
    seen = np.isfinite(places.astype(np.float64))
    occurs = np.zeros(len(before), np.int64)
    occurs[seen] = counts[places[seen].astype(np.int64)]
    ranks = np.argsort(-np.concatenate([occurs, counts[added]]), kind="stable")
    return [kept[place] for place in np.sort(ranks[: request.top_k])]
