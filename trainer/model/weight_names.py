"""Names of weights that are the same in every process."""

import re
from collections import Counter
from collections.abc import Sequence

import keras

#: Keras numbers the layers of one class through all models that a process has built.
_NUMBER = re.compile(r"_\d+(?=[_/]|$)")


def weight_names(variables: Sequence[keras.Variable]) -> list[str]:
    """One name for each variable, by its place in the model.

    Args:
        variables: of one model, or of what trains it, in an order that is always the same.

    Returns:
        Paths without Keras's numbers; of several that are then alike, the second ends in ``#2``.
    """
    seen: Counter[str] = Counter()
    names = []
    for variable in variables:
        path = _NUMBER.sub("", variable.path)
        seen[path] += 1
        names.append(path if seen[path] == 1 else f"{path}#{seen[path]}")
    return names
