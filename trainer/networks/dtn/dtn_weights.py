"""The weights of a trimmed DTN, out of those of the larger one that it was trimmed from."""

from collections.abc import Sequence

import numpy as np

from mtlx.trainer.networks.dtn.dtn import DTN


def take_weights(larger: DTN, smaller: DTN) -> None:
    """Gives a DTN with dropped modules the larger one's weights of all that it kept.

    A gate keeps its columns of the modules that it still sees; its softmax shares the weight of
    the others out among these in proportion.

    Args:
        larger: the trained network.
        smaller: the same one but for modules dropped besides.
    """
    kinds = [place for place, groups in enumerate(larger.groups) if groups]
    modules = dict(zip(kinds, larger.modules, strict=True))
    kept_kinds = [place for place, groups in enumerate(smaller.groups) if groups]
    for place, module in zip(kept_kinds, smaller.modules, strict=True):
        copies = larger.groups[place]
        kept = [copies.index(group) for group in smaller.groups[place]]
        for old, new in zip(modules[place].weights, module.weights, strict=True):
            new.assign(_copies(np.asarray(old), tuple(new.shape), len(copies), kept))
    columns = _gate_columns(larger)
    kept_columns = [columns[key] for key in _gate_columns(smaller)]
    smaller.gate.kernel.assign(np.asarray(larger.gate.kernel)[:, kept_columns])
    smaller.gate.bias.assign(np.asarray(larger.gate.bias)[kept_columns])
    for old_towers, new_towers in zip(larger.towers, smaller.towers, strict=True):
        for old, new in zip(old_towers.weights, new_towers.weights, strict=True):
            new.assign(old)


def _copies(
    values: np.ndarray, shape: tuple[int, ...], copies: int, kept: Sequence[int]
) -> np.ndarray:
    """Of a weight of several copies, the kept ones; see `Interaction` for how they lie."""
    changed = [axis for axis, size in enumerate(shape) if size != values.shape[axis]]
    if not changed:
        return values
    (axis,) = changed
    parts = np.split(values, copies, axis=axis)
    return np.concatenate([parts[copy] for copy in kept], axis=axis)


def _gate_columns(network: DTN) -> dict[tuple[int, str], int]:
    """Column of the gates' kernel by gate and module."""
    pairs = zip(*np.nonzero(network.visible), strict=True)
    return {
        (int(gate), network.names[module]): column for column, (gate, module) in enumerate(pairs)
    }
