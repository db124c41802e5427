"""HoME: a hierarchy of experts that all stay alive and all have something to do."""

from collections.abc import Mapping
from typing import Annotated, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate_outputs import gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.home.home_level import HoMELevel
from mtlx.trainer.networks.network import Network
from mtlx.trainer.task_tree import preceding
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

#: Name of the group of experts that all tasks share.
_SHARED = "shared"


class HoME(Network):
    """Hierarchy of multi-gate experts (Wang et al. 2024).

    Tasks are in categories c (at Kuaishou interaction and watching). Two levels, see `HoMELevel`
    for experts, gates, feature gates and self gates; v is all fields, flattened:

    - Meta level: groups of experts for each category and a shared one, all on v. z_c mixes the
      category's experts and the shared ones, z_shared all.
    - Task level: for task t of category c experts of its own and of its category, both on z_c, and
      global ones on z_shared. t's gate sees these three groups, and no other category's: f_t. The
      gates read [z_c, z_shared].
    - A tower for each task.

    What each part is there for, in the paper's words: normalisation and Swish against collapse
    (experts of other scale, or dead by ReLU), the hierarchy against degradation (a shared expert
    that one task occupies), feature gates and self gates against underfitting (sparse tasks that
    leave their own experts alone).

    Source: the paper's abstract, descriptions of it and an independent implementation; the
    original text was not at hand, so that equation numbers are not given. Open there, and decided
    here: one feature gate for each group of experts and not several under a softmax; what the gates
    of the task level read; normalisation in every layer of an expert, not in its last alone.

    Shown to learn:
        Labels of fields that stand far from 0, two seeds: with no unit of the experts dead it gets
        0.95 or more of the way from chance to the best possible AUC in both of two tasks; without
        normalisation, with ReLU, half of the units are dead for all rows, and one of the tasks
        gets 0.04 and 0.29 of it. Where the labels hang on products of such fields, it learns them
        with some seeds only. An expert whose weights are a hundred times as large takes no larger
        share of the mix, and above nine tenths without normalisation (test_home.py).

    Args:
        inputs: the tasks.
        categories: category to its tasks, each task once; by default the tasks that come after one
            another, directly or not, are a category, named by the first.
        experts: experts of each group.
        meta_hidden: widths of the meta level's experts.
        expert_hidden: widths of the task level's experts.
        tower_hidden: widths of each tower's hidden layers.
        feature_rank: rank of the feature gates.
        feature_gates: False omits them.
        self_gates: False omits them.
        activation: of the experts.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its activation: ``none``, ``batch`` (the
            paper's) or ``layer``.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        categories: Mapping[str, tuple[str, ...]] = {},
        experts: PositiveInt = 2,
        meta_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128,),
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128,),
        tower_hidden: tuple[PositiveInt, ...] = (64,),
        feature_rank: PositiveInt = 16,
        feature_gates: bool = True,
        self_gates: bool = True,
        activation: Literal["swish", "relu"] = "swish",
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "batch",
    ):
        super().__init__()
        found = _categories(inputs.tasks, categories)
        names, count = list(dict.fromkeys(found)), len(inputs.tasks)
        of_task = np.asarray([names.index(name) for name in found], "int32")
        places = np.arange(len(names) + 1)
        common = (
            dropout,
            activation,
            normalization,
            feature_rank if feature_gates else None,
            self_gates,
        )
        sees = np.eye(len(names) + 1, dtype=bool)
        sees[:, -1] = sees[-1] = True
        self.meta = HoMELevel(experts, sees, places, tuple(meta_hidden), *common)
        # Groups of the task level: tasks, categories, global.
        of_category = of_task[:, None] == np.arange(len(names))
        always = np.ones((count, 1), bool)
        sees = np.concatenate([np.eye(count, dtype=bool), of_category, always], axis=1)
        self.task_level = HoMELevel(experts, sees, np.arange(count), tuple(expert_hidden), *common)
        self.of_task = of_task
        #: The meta level's mix that each group of the task level reads.
        self.read = np.concatenate([of_task, places]).astype("int32")
        self.towers = Towers(count, tower_hidden, dropout, normalization)
        self.gate_names = {
            task.name: [
                f"{group}/expert_{index}"
                for group in (task.name, f"category {found[place]}", _SHARED)
                for index in range(experts)
            ]
            for place, task in enumerate(inputs.tasks)
        }

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)`` and, of gates, outputs ``(B, n)``.

        The gates are those of the task level: own, category's and global experts.
        """
        flat = flatten(fields)
        mixes, _, _ = self.meta(flat, flat, training=training)  # (B, C + 1, h)
        parts = ops.unstack(mixes, axis=1)
        seen = [ops.concatenate([parts[own], parts[-1]], axis=-1) for own in self.of_task]
        mixed, weights, shares = self.task_level(
            [parts[place] for place in self.read], seen, training=training
        )
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(mixed, training=training),
            **gate_outputs(gates, weights, shares, self.task_level.visible),
        }


def _categories(tasks: tuple[TaskSpec, ...], given: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The category of each task.

    Raises:
        SettingsError: an unknown task, or one that is in no category or in two.
    """
    if not given:
        found: list[str] = []
        for task, before in zip(tasks, preceding(tasks), strict=True):
            found.append(task.name if before is None else found[before])
        return found
    names = [task.name for task in tasks]
    problems: list[tuple[tuple[str, ...], str]] = []
    of_task: dict[str, str] = {}
    for category, members in given.items():
        for name in members:
            if name not in names:
                text = f"unknown task {name!r}, {suggest(name, names)}"
                problems.append((("categories", category), text))
            elif name in of_task:
                text = f"task {name!r} is in {of_task[name]!r} already: name each task once"
                problems.append((("categories", category), text))
            of_task[name] = category
    left = [name for name in names if name not in of_task]
    if left:
        problems.append((("categories",), f"task {left[0]!r} is in no category: name each once"))
    if problems:
        raise SettingsError(problems)
    return [of_task[name] for name in names]
