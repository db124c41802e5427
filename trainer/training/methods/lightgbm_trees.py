"""From LightGBM's trees to the weights of a `TreeModel`."""

from typing import Any

import lightgbm
import numpy as np

from mtlx.trainer.model.tree_model import TREE_WEIGHTS, TreeShape

Node = dict[str, Any]


def tree_weights(
    boosters: list[lightgbm.Booster], set_size: int
) -> tuple[TreeShape, dict[str, np.ndarray]]:
    """Puts the trees of all tasks behind each other, up to each one's best iteration.

    Args:
        boosters: one per task.
        set_size: ids that a set can tell apart; larger ones are in no set.

    Returns:
        The shape, and the weights by name as in `TREE_WEIGHTS`.
    """
    writer = _Writer(set_size)
    trees = []
    for booster in boosters:
        found = booster.dump_model()["tree_info"]
        trees.append(len(found))
        for tree in found:
            writer.add_tree(tree["tree_structure"])
    weights = {
        name: np.asarray(writer.columns[name], TREE_WEIGHTS[name])
        for name in TREE_WEIGHTS
        if name != "members"
    }
    weights["members"] = np.stack(writer.members)
    shape = TreeShape(
        trees=trees,
        nodes=len(weights["leaf"]),
        depth=writer.depth,
        sets=len(writer.members),
        set_size=set_size,
    )
    return shape, weights


def threshold_in_float32(threshold: float) -> np.float32:
    """The largest float32 up to a threshold: no float32 lies between the two."""
    rounded = np.float32(threshold)
    if float(rounded) > threshold:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return rounded


class _Writer:
    """Numbers nodes in the order in which they are added."""

    def __init__(self, set_size: int) -> None:
        self.columns: dict[str, list[Any]] = {
            name: [] for name in TREE_WEIGHTS if name != "members"
        }
        self.members = [np.zeros(set_size, TREE_WEIGHTS["members"])]  # of no split
        self.depth = 0

    def add_tree(self, root: Node) -> None:
        """Adds a tree, from the form of `Booster.dump_model`; no recursion, trees may be deep."""
        self.columns["root"].append(self._add(root))
        waiting = [(root, self.columns["root"][-1], 0)]
        while waiting:
            node, index, depth = waiting.pop()
            self.depth = max(self.depth, depth)
            for side in ("left", "right"):
                child = node.get(f"{side}_child")
                if child is not None:
                    self.columns[side][index] = self._add(child)
                    waiting.append((child, self.columns[side][index], depth + 1))

    def _add(self, node: Node) -> int:
        """Adds a node without its children; returns its number."""
        index = len(self.columns["leaf"])
        row = {"feature": 0, "threshold": 0.0, "missing_left": 0, "set": 0}
        if "split_feature" in node:
            row |= self._split(node)
        row |= {"left": index, "right": index, "leaf": node.get("leaf_value", 0.0)}
        for name, value in row.items():
            self.columns[name].append(value)
        return index

    def _split(self, node: Node) -> dict[str, Any]:
        row: dict[str, Any] = {"feature": node["split_feature"]}
        if node["decision_type"] == "==":
            members = np.zeros_like(self.members[0])
            members[[int(identifier) for identifier in node["threshold"].split("||")]] = 1
            self.members.append(members)
            return {**row, "set": len(self.members) - 1}
        # Where no row of the training lacked the number, LightGBM takes 0 for it.
        left = node["default_left"] if node["missing_type"] == "NaN" else 0.0 <= node["threshold"]
        return {
            **row,
            "threshold": threshold_in_float32(node["threshold"]),
            "missing_left": int(left),
        }
