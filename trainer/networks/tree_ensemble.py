"""Boosted trees: what gradient boosting has learnt, as a network like any other."""

from typing import ClassVar

import keras
from keras import ops
from pydantic import NonNegativeInt

from mtlx.trainer.networks.network import Network
from mtlx.transform.config.settings import Settings, SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs

#: Weight of the network to its type. A node that is a leaf is its own left and right child.
TREE_WEIGHTS = {
    "root": "int32",  # (trees,), the trees of the first task first
    "feature": "int32",  # (nodes,), as all that follow but the last
    "threshold": "float32",
    "missing_left": "int32",  # 1 where a row without the number goes left
    "left": "int32",
    "right": "int32",
    "leaf": "float32",
    "set": "int32",  # row of `members`, or 0 for a split by the threshold
    "members": "uint8",  # (sets, set_size), 1 where an id goes left
}


class TreeShape(Settings):
    """How many trees there are, known after training only.

    Attributes:
        trees: of each task.
        nodes: of all trees, leaves included.
        depth: of the deepest tree, in splits.
        sets: splits by sets of ids, and one more.
        set_size: ids that a set can tell apart.
    """

    trees: list[NonNegativeInt]
    nodes: NonNegativeInt
    depth: NonNegativeInt
    sets: NonNegativeInt
    set_size: NonNegativeInt


class TreeEnsemble(Network):
    """Gradient-boosted trees, those of LightGBM (Ke et al. 2017), the reference of MAN's Table 1.

    logit_t = Σ_m leaf of tree t,m that the row falls into. A split sends a row left where its
    number is at most the threshold, or where its id is in the split's set; missing numbers have a
    side of their own. The trees read ids and numbers themselves (see `Network.reads_inputs`):
    neither embeddings nor behaviour sequences.

    All trees are descended at once, in as many steps as the deepest one has splits. Training
    method ``gradient_boosting`` grows the trees; before, every logit is 0.

    Shown to learn:
        Nothing by gradients. With the trees of ``gradient_boosting``: validation AUC above 0.75 and
        0.70 of two planted tasks (`test_gradient_boosting`), and LightGBM's own predictions for the
        same trees, missing numbers included (`test_tree_ensemble`).

    Args:
        inputs: the tasks.
        shape: of the trees; the training method sets it, an experiment leaves it out.

    Raises:
        SettingsError: a shape of another number of tasks.
    """

    reads_inputs: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = False
    default_method = "gradient_boosting"

    def __init__(self, inputs: ModelInputs, *, shape: TreeShape | None = None):
        super().__init__()
        tasks = len(inputs.tasks)
        # A number that is rounded may fall on the other side of a threshold.
        self.dtype_policy = keras.DTypePolicy("float32")
        self.trees = shape or TreeShape(trees=[0] * tasks, nodes=0, depth=0, sets=0, set_size=0)
        if len(self.trees.trees) != tasks:
            text = f"has trees of {len(self.trees.trees)} tasks, but there are {tasks}"
            raise SettingsError([(("shape", "trees"), text)])

    def build(self, *_: object) -> None:
        """Creates the trees' weights, which no gradient trains."""
        size = self.trees
        shape_of = {"root": (sum(size.trees),), "members": (size.sets, size.set_size)}
        self.weights_by_name = {
            name: self.add_weight(
                shape=shape_of.get(name, (size.nodes,)),
                initializer="zeros",
                dtype=dtype,
                trainable=False,
                autocast=False,
                name=name,
            )
            for name, dtype in TREE_WEIGHTS.items()
        }

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Numbers ``(B, N)`` and ids ``(B, C)`` to "logits" ``(B, T)``; feature C is number 0."""
        inputs = ops.concatenate([ops.cast(field_ids, "float32"), fields], axis=1)  # (B, C + N)
        rows = ops.shape(inputs)[0]
        node = ops.tile(self.weights_by_name["root"][None], (rows, 1))  # (B, trees)
        for _ in range(self.trees.depth):
            goes_left = self._goes_left(inputs, node)
            node = ops.where(goes_left, self._of("left", node), self._of("right", node))
        leaves = self._of("leaf", node)  # (B, trees)
        logits, start = [], 0
        for count in self.trees.trees:
            logits.append(ops.sum(leaves[:, start : start + count], axis=1))
            start += count
        return {"logits": ops.stack(logits, axis=1)}

    def _of(self, name: str, node: keras.KerasTensor) -> keras.KerasTensor:
        """A weight of every row's present nodes ``(B, trees)``."""
        return ops.take(self.weights_by_name[name], node, axis=0)

    def _goes_left(self, inputs: keras.KerasTensor, node: keras.KerasTensor) -> keras.KerasTensor:
        value = ops.take_along_axis(inputs, self._of("feature", node), axis=1)  # (B, trees)
        missing = ops.isnan(value)
        at_most = value <= self._of("threshold", node)
        by_threshold = ops.where(missing, self._of("missing_left", node) == 1, at_most)
        own_set = self._of("set", node)
        identifier = ops.cast(ops.where(missing, 0.0, value), "int32")
        last = self.trees.set_size - 1
        place = own_set * self.trees.set_size + ops.clip(identifier, 0, last)
        members = ops.reshape(self.weights_by_name["members"], (-1,))
        inside = ops.take(members, place, axis=0) == 1
        return ops.where(own_set > 0, inside, by_threshold)
