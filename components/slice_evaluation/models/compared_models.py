"""The models of an evaluation: those that are scored, and those that cannot be compared."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import path_utils

from mtlx.components.slice_evaluation.models.comparability import Incomparable, find_differences
from mtlx.components.slice_evaluation.models.held_features import (
    first_examples,
    held_features,
    without_values,
)
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds, seed_name
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    BASELINE,
    CANDIDATE,
    REFERENCE,
)
from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]


@dataclass(frozen=True)
class ComparedModels:
    """Models by name, the candidate first, and behind them those of further seeds.

    Where the candidate was trained from several seeds, all of them are scored, and those of the
    other models that were, too: what is compared are means. Where it was trained once, the exported
    model of each is.

    Attributes:
        scored: models that are asked for predictions.
        incomparable: by model and task why it is not compared; a model that is compared in no
            task is not among `scored`.
        by_model: of models that were trained from several seeds, see `ModelSeeds`.
    """

    scored: dict[str, ServedModel]
    incomparable: dict[str, dict[str, str]]
    by_model: dict[str, dict[int, str]] = field(default_factory=dict)

    @property
    def seeds(self) -> ModelSeeds:
        """Which of the scored models are the same training from other seeds."""
        return ModelSeeds(tuple(self.scored), self.by_model)

    @classmethod
    def find(
        cls, input_dict: Artifacts, contract: DataContract, files: list[str]
    ) -> "ComparedModels":
        """Loads every model once here, and finds out whether it can be compared.

        Args:
            input_dict: of the component.
            contract: of the run.
            files: of the evaluated split.

        Raises:
            ValueError: the candidate, or one of its seeds, cannot be loaded, or does not serve
                every task.
        """
        tasks = tuple(contract.tasks)
        candidate = _served(CANDIDATE, input_dict, tasks, contract)
        found, further = cls({CANDIDATE: candidate}, {}), {}
        further[CANDIDATE] = dict(_of_other_seeds(candidate))
        for one in (candidate, *further[CANDIDATE].values()):
            one.load()
        others = [name for name in (BASELINE, REFERENCE, ANCHOR) if input_dict.get(name)]
        examples = first_examples(files) if others else []
        with ThreadPoolExecutor(1) as threads:
            # What TensorFlow prepares at a first call is no Python, as loading the others is. Where
            # the model fails on these rows, it does so again where it is asked for its scores.
            threads.submit(candidate.predict, examples)
            for name in others:
                model, reasons, its = _compare(
                    name, input_dict, contract, examples, files, bool(further[CANDIDATE])
                )
                if model is not None:
                    found.scored[name], further[name] = model, its
                if reasons:
                    found.incomparable[name] = reasons
                    for task, reason in reasons.items():
                        logging.warning("The %s is not compared in %s: it %s", name, task, reason)
        for name, its in further.items():
            found._add_seeds(name, its)
        return found

    def _add_seeds(self, name: str, further: dict[int, ServedModel]) -> None:
        """Takes in the models of a compared one's other seeds."""
        record = RepeatsRecord.beside(self.scored[name].path) if further else None
        if record is None:
            return
        names = {seed: seed_name(name, seed) for seed in record.seeds}
        self.by_model[name] = names | {record.exported: name}
        self.scored.update({names[seed]: model for seed, model in further.items()})


def _of_other_seeds(model: ServedModel) -> Iterator[tuple[int, ServedModel]]:
    """The models of the other seeds that a model was trained from, which lie beside it."""
    record = RepeatsRecord.beside(model.path)
    if record is None:
        return
    for seed, folder in record.folders(model.path).items():
        if seed != record.exported:
            name = seed_name(model.name, seed)
            yield seed, ServedModel(name, folder, model.tasks, model.regressions)


def _compare(
    name: str,
    input_dict: Artifacts,
    contract: DataContract,
    examples: list[bytes],
    files: list[str],
    with_seeds: bool,
) -> tuple[ServedModel | None, dict[str, str], dict[int, ServedModel]]:
    """The model with the tasks in which it is compared, or None; why not in the others; its seeds.

    Its seeds are looked for where the candidate has such, and are of the tasks of the model.
    """
    tasks = tuple(contract.tasks)
    try:
        model = _served(name, input_dict, (), contract)
        reads = model.reads()
        empty = without_values(contract, reads.features, examples, files)
        held = held_features(contract, examples)
        differences = find_differences(reads, held, contract, empty)
        reasons = differences.reasons(tasks)
        compared = tuple(task for task in tasks if task not in reasons)
        if not compared:
            return None, reasons, {}
        model = ServedModel(name, model.path, compared, model.regressions)
        seeds = dict(_of_other_seeds(model)) if with_seeds else {}
        # Of models from elsewhere not all can be known beforehand: they are tried.
        for one in (model, *seeds.values()):
            one.predict(examples)
    except ValueError as error:
        reason = " ".join(str(error).split())
        return None, Incomparable([f"cannot be asked: {reason}"]).reasons(tasks), {}
    return model, reasons, seeds


def _served(
    name: str, input_dict: Artifacts, tasks: tuple[str, ...], contract: DataContract
) -> ServedModel:
    artifact = artifact_utils.get_single_instance(input_dict[name])
    return ServedModel(name, _saved_model(artifact), tasks, contract.regressions)


def _saved_model(artifact: types.Artifact) -> str:
    """Folder of the SavedModel: inside a Trainer's artifact, or an imported one itself."""
    if tf.io.gfile.exists(os.path.join(artifact.uri, "saved_model.pb")):
        return artifact.uri
    return path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact))
