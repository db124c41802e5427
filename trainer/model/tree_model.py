"""Boosted trees: what gradient boosting has learnt, as a model like any other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import keras
from keras import ops
from pydantic import NonNegativeInt

from mtlx.trainer.layers.shared_rows import for_all_rows
from mtlx.trainer.model.model_features import domains_of, two_empty_rows, used_features
from mtlx.trainer.model.scores import of_the_log, scores
from mtlx.transform.config.settings import Settings, SettingsError
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs

#: Weight of the model to its type. A node that is a leaf is its own left and right child.
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


class TreeModel(keras.Model):
    """Gradient-boosted trees, those of LightGBM (Ke et al. 2017), the reference of MAN's Table 1.

    logit_t = Σ_m leaf of tree t,m that the row falls into. A split sends a row left where its
    number is at most the threshold, or where its id is in the split's set; missing numbers have a
    side of their own. The trees read ids and numbers themselves: nothing is embedded, behaviour
    sequences are not read, and no gradient trains anything. So this is no network in a
    `RankingModel` but its sibling: see `mtlx.trainer.model.scorer.Scorer` for what both promise.

    All trees are descended at once, in as many steps as the deepest one has splits. Training
    method ``gradient_boosting`` grows the trees; before, every logit is 0.

    Shown to learn:
        Nothing by gradients. With the trees of ``gradient_boosting``: validation AUC above 0.75 and
        0.70 of two planted tasks (`test_gradient_boosting`), and LightGBM's own predictions for the
        same trees, missing numbers included (`test_tree_model`).

    Args:
        inputs: features, domains and tasks.
        shape: of the trees; the training method sets it, an experiment leaves it out.

    Attributes:
        default_method: the training method where `training.method` names none.
        takes_regressions, takes_correction: see `mtlx.trainer.networks.network.Network`.

    Raises:
        SettingsError: a shape of another number of tasks.
        ValueError: no feature to read.
    """

    default_method: ClassVar[str] = "gradient_boosting"
    takes_regressions: ClassVar[bool] = False
    takes_correction: ClassVar[bool] = True

    def __init__(self, inputs: ModelInputs, *, shape: TreeShape | None = None):
        # A number that is rounded may fall on the other side of a threshold.
        super().__init__(dtype="float32")
        self._read = replace(inputs, sequences=())
        if not self._read.fields:
            raise ValueError("trees need a categorical or a numeric feature to read")
        tasks = len(inputs.tasks)
        self.trees = shape or TreeShape(trees=[0] * tasks, nodes=0, depth=0, sets=0, set_size=0)
        if len(self.trees.trees) != tasks:
            text = f"has trees of {len(self.trees.trees)} tasks, but there are {tasks}"
            raise SettingsError([(("shape", "trees"), text)])
        self(two_empty_rows(self._read))

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
        self, features: Mapping[str, keras.KerasTensor], training: bool = False
    ) -> dict[str, keras.KerasTensor]:
        """Scores one batch.

        Args:
            features: transformed features by name; others are ignored. "domain_id" may be absent
                where there is one domain.
            training: whether logits are those of the rows that train, see `RankingModel`.

        Returns:
            "logits" and "probabilities", ``(B, T)`` float32 in the order of the tasks;
            "domain_id" ``(B,)`` is passed through.
        """
        inputs = self._inputs(used_features(self._read, features))
        logits = self._logits(inputs)
        found = scores({"logits": logits})
        if not training:
            found = of_the_log(found, self._read.tasks)
        return {**found, DOMAIN_ID: domains_of(features, inputs)}

    def drop_training_parts(self) -> None:
        """Drops nothing: all that there is is served."""

    def _inputs(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """Ids, then numbers, ``(B, C + N)`` float32; feature C is number 0."""
        features = for_all_rows(features)
        columns = [ops.cast(features[field.name], "float32") for field in self._read.fields]
        return ops.stack(columns, axis=1)

    def _logits(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Sums of leaves, ``(B, C + N)`` to ``(B, T)``."""
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
        return ops.stack(logits, axis=1)

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
