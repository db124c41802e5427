"""The experiment: every section of the experiment file, composed from the rooms' own settings."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pydantic

from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.components.log_example_gen.values.missing_texts import missing_texts
from mtlx.components.one_pass_transform.settings import TransformSettings
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.report.settings import ReportSettings
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.slice_evaluation.metrics.metric_names import ALWAYS
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import resolve_crosses
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings
from mtlx.pipeline.experiment.threshold_slices import threshold_problem
from mtlx.pipeline.notify.settings import NotifySettings
from mtlx.pipeline.tracking.settings import TrackingSettings
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings, SettingsError
from mtlx.transform.contract.data_contract import (
    ContractSections,
    DataContract,
    missing_domain_values,
)

#: Settings with a path that starts from the experiment file's folder where it is relative.
ANCHORED = (
    "run.pipeline_root",
    "serving.push_to",
    "validation.schema_path",
    "gate.given_model",
    "report.best_possible",
    "skew.versions_in",
)
#: A further one, further below; ``latest_blessed`` there is no path.
BASE_MODEL = "training.warm_start.from"


class GateSection(GateSettings):
    """The gate's own settings, and the reference model that the pipeline trains for it.

    Attributes:
        reference: the model that the candidate is compared with where the gate asks for one; it
            is trained in the same run, on the same examples, with the same `training` section.
        reference_training: settings of `training` that are others for the reference, say its
            method or losses; it has no `warm_start`.
        given_model: folder of a SavedModel of the same tasks, such as a pushed version, that
            takes the place of the model blessed last.
    """

    reference: ModelSettings | None = None
    reference_training: dict[str, Any] = {}
    given_model: str | None = None


class ValidationSettings(Settings):
    """What is checked before training.

    Attributes:
        schema_path: a reviewed schema (``schema.pbtxt``) to import, such as ``mtlx schema
            --write`` writes; None infers one from the training rows, beginning with the schema of
            the model blessed last, and holds the other splits against it.
        tolerance: of an inferred schema: share of a split's rows that may lack a feature which
            all training rows have, and share of its values that may be new to a feature with a
            closed set of values.
        open_features: categorical features and sequences of which any share of the values may be
            new, besides those that are taken for such: the target item, ones with more than 100
            values, hashed ones, and ones that are not embedded.
        allow_anomalies: go on although ExampleValidator found anomalies; the report lists them.
        statistics_sample: share of the rows, in batches, that statistics are computed of; the
            report says so where it is below 1.
    """

    schema_path: str | None = None
    tolerance: Annotated[float, pydantic.Field(ge=0.0, lt=1.0)] = 0.01
    open_features: list[str] = []
    allow_anomalies: bool = False
    statistics_sample: Annotated[float, pydantic.Field(gt=0.0, le=1.0)] = 1.0


class ComponentSettings(Settings):
    """Whose component does the work: this project's, or TFX's own.

    The artifacts are of the same types, so any of them can be exchanged; ours are faster.

    Attributes:
        example_gen: ``log``, or ``stock`` for CsvExampleGen (reader ``csv``, split by file with
            one pattern per split, no sequences, no quotes in the header).
        statistics: ``batch``, or ``stock`` for StatisticsGen.
        transform: ``one_pass``, or ``stock`` for TFX's Transform with TFT's analyzers.
        evaluation: ``slice``, or ``stock`` for Evaluator, which then blesses in the gate's place
            by rules on the AUC of all rows; it knows no intervals and no reference model.
    """

    example_gen: Literal["log", "stock"] = "log"
    statistics: Literal["batch", "stock"] = "batch"
    transform: Literal["one_pass", "stock"] = "one_pass"
    evaluation: Literal["slice", "stock"] = "slice"


class ServingSettings(Settings):
    """Where a blessed model goes, and how it is served on trial before.

    Attributes:
        push_to: folder that holds one numbered folder per pushed version, as TensorFlow Serving
            reads it; None leaves Pusher out, and the trial with it.
        check: how a model is served on trial before it is pushed; null leaves that out.
    """

    push_to: str | None = None
    check: ServingCheckSettings | None = ServingCheckSettings()

    @property
    def is_checked(self) -> bool:
        """Whether a model is served on trial."""
        return self.push_to is not None and self.check is not None


class RunSettings(Settings):
    """How the pipeline is run.

    Attributes:
        pipeline_root: folder for artifacts, metadata and logs; ``var/pipelines/<name>`` if None.
            A relative path starts from the experiment file's folder, as in `serving.push_to`,
            `validation.schema_path`, `gate.given_model`, `training.warm_start` and
            `report.best_possible`.
        beam_pipeline_args: arguments for every Beam pipeline; none is Beam's DirectRunner in one
            process. With any, TFX packs itself for remote workers before each Beam node, which
            takes 3 s and 50 MB of the temporary folder, unless they name a container image.
        cache: take a node's outputs from an earlier run with the same inputs and settings.
    """

    pipeline_root: str | None = None
    beam_pipeline_args: list[str] = []
    cache: bool = True


class Experiment(ContractSections):
    """One experiment file, validated; its first sections are the data contract itself.

    Attributes:
        name: name of the pipeline; letters, digits, ``-`` and ``_``.
        data: what the logs are, how they are read and split.
        model: the candidate.
        training: how the candidate and the reference are trained.
        evaluation: slices and intervals.
        gate: what the candidate must reach, and against which baseline.
        validation: schema and anomalies.
        transform: what is kept of an earlier analysis.
        drift: how far the newest examples may have moved from those before.
        skew: how far what was served may differ from what was logged.
        serving: where a blessed model is pushed to.
        report: the report's options.
        components: whose component does the work.
        run: pipeline root, Beam, caching.
        notify: who is told how a run ended.
        tracking: where else runs are noted.
        kubeflow: image, resources and address of the cluster.
    """

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    data: DataSettings
    model: ModelSettings
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSection = GateSection()
    validation: ValidationSettings = ValidationSettings()
    transform: TransformSettings = TransformSettings()
    drift: DriftSettings = DriftSettings()
    skew: SkewSettings = SkewSettings()
    serving: ServingSettings = ServingSettings()
    report: ReportSettings = ReportSettings()
    components: ComponentSettings = ComponentSettings()
    run: RunSettings = RunSettings()
    notify: NotifySettings = NotifySettings()
    tracking: TrackingSettings = TrackingSettings()
    kubeflow: KubeflowSettings = KubeflowSettings()

    #: Where the file lies, and which of `ANCHORED` do not start from there.
    _folder: str | None = pydantic.PrivateAttr(None)
    _from_here: frozenset[str] = pydantic.PrivateAttr(frozenset())

    def in_folder(self, folder: str, from_here: Iterable[str] = ()) -> "Experiment":
        """This experiment, read from a file.

        Args:
            folder: of the file; relative paths of `ANCHORED` start from it.
            from_here: those of `ANCHORED` that start from the working directory nevertheless.
        """
        placed = self.model_copy()
        placed._folder, placed._from_here = folder, frozenset(from_here)
        return placed

    def anchored(self) -> "Experiment":
        """This experiment with absolute paths in `ANCHORED` and a pipeline root, for this machine.

        On a cluster the paths of `kubeflow.settings` take their places, so that the experiment
        itself keeps them as they were written.
        """
        changed: dict[str, dict[str, Any]] = {}
        for setting in ANCHORED:
            section, key = setting.split(".")
            path = getattr(getattr(self, section), key)
            if path is None and setting == "run.pipeline_root":
                path = f"var/pipelines/{self.name}"
            if path is not None:
                changed.setdefault(section, {})[key] = self._absolute(setting, path)
        base = self.training.warm_start
        if base is not None and base.folder is not None:
            placed = base.model_copy(update={"from": self._absolute(BASE_MODEL, base.folder)})
            changed["training"] = {"warm_start": placed}
        return self.model_copy(
            update={
                section: getattr(self, section).model_copy(update=keys)
                for section, keys in changed.items()
            }
        )

    def _absolute(self, setting: str, path: str) -> str:
        """The path of a setting, from the file's folder or from here."""
        return absolute(path, None if setting in self._from_here else self._folder)

    @property
    def contract(self) -> DataContract:
        """The sections that all rooms share."""
        sections = {key: getattr(self, key) for key in ContractSections.model_fields}
        return DataContract(**sections, missing=missing_texts(self.data))

    def as_written(self) -> str:
        """JSON of what the experiment file says, presets spelt out, without how it is run.

        Settings that have their defaults are left out, and so are the sections `run`, `notify`,
        `tracking` and `kubeflow`, on which no result depends.
        """
        not_of_the_result = {"run", "notify", "tracking", "kubeflow"}
        return self.model_dump_json(exclude_unset=True, exclude=not_of_the_result)

    @property
    def folder(self) -> str | None:
        """Where the experiment file lies; None for one that was built in a program."""
        return self._folder

    @property
    def reference_training(self) -> TrainingSettings:
        """The training settings of the reference; whose method the options are for is not seen.

        It is trained from the start: what was blessed is the candidate's kind of model. So where
        the candidate takes no step, the reference has the usual number of epochs.
        """
        own = {"warm_start"} if self.training.epochs else {"warm_start", "epochs"}
        shared = self.training.model_dump(exclude_unset=True, exclude=own)
        return TrainingSettings.read({**shared, **self.gate.reference_training})

    @pydantic.model_validator(mode="after")
    def _check_sections_against_each_other(self) -> "Experiment":
        problems = [*self._evaluation_problems(), *self._gate_problems()]
        problems += [*self._component_problems(), *self._training_problems()]
        problems += missing_domain_values(self.domain, missing_texts(self.data))
        problems += [*self._split_problems(), *self._drift_problems(), *self._skew_problems()]
        problems += self._late_label_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _evaluation_problems(self) -> list[str]:
        problems = []
        try:
            resolve_crosses(self.evaluation, self.contract)
        except SettingsError as error:
            problems += [f"{'.'.join(path)}: {text}" for path, text in error.problems]
        if self.evaluation.split not in SPLITS:
            problems.append(
                f"evaluation.split names no split: {self.evaluation.split!r}, "
                f"{suggest(self.evaluation.split, SPLITS)}"
            )
        elif self.data.window is not None and self.evaluation.split != "test":
            problems.append(
                f"evaluation.split is {self.evaluation.split!r}, but with data.window the spans "
                "that test are evaluated, all of their rows: leave it out"
            )
        return problems

    def _gate_problems(self) -> list[str]:
        problems = [
            f"gate.thresholds: no task matches {threshold.task!r}, "
            f"{suggest(threshold.task, self.tasks)}"
            for threshold in self.gate.thresholds
            if not any(matches(task, threshold.task) for task in self.tasks)
        ]
        if self.components.evaluation == "slice":
            problems += [
                f"gate.thresholds.{index}.slice {threshold.slice!r} {problem}"
                for index, threshold in enumerate(self.gate.thresholds)
                if (problem := threshold_problem(threshold.slice, self.evaluation, self.contract))
            ]
            problems += [
                f"gate.thresholds.{index}: {metric!r} is not measured: name it in "
                "evaluation.metrics"
                for index, metric in enumerate(one.metric for one in self.gate.thresholds)
                if metric not in (*self.evaluation.metrics, *ALWAYS)
            ]
        if self.gate.baseline == "reference" and self.gate.reference is None:
            problems.append(
                "gate.baseline is 'reference' but gate.reference is absent: "
                "name the model to train as the reference, for example {network: ple}"
            )
        if self.gate.anchor == "reference" and self.gate.reference is None:
            problems.append(
                "gate.anchor is 'reference' but gate.reference is absent: name the model to train "
                "as the reference, for example {network: ple}"
            )
        if self.gate.baseline == "reference" and self.gate.given_model is not None:
            problems.append(
                "gate.given_model takes the place of the latest blessed model, but gate.baseline "
                "is 'reference': leave one of the two out"
            )
        return problems

    def _training_problems(self) -> list[str]:
        try:
            trainings = (self.training, self.reference_training)
        except SettingsError as error:
            return [
                f"{'.'.join(('gate.reference_training', *path))}: {message}"
                for path, message in error.problems
            ]
        problems = []
        if self.reference_training.warm_start is not None:
            problems.append(
                "gate.reference_training.warm_start: the reference is trained from the start, "
                "always: leave it out"
            )
        if self.transform.reuse == "base_model" and self.training.warm_start is None:
            problems.append(
                "transform.reuse is 'base_model', but training.warm_start names none: set it, "
                "say to latest_blessed"
            )
        problems += self._incremental_problems()
        weights = [("task_weights", task) for one in trainings for task in one.task_weights]
        weights += [
            ("select_by.task_weights", task)
            for one in trainings
            for task in one.select_by.task_weights or ()
        ]
        return problems + [
            f"training.{key} names no task: {task!r}, {suggest(task, self.tasks)}"
            for key, task in dict.fromkeys(weights)
            if task not in self.tasks
        ]

    def _incremental_problems(self) -> list[str]:
        """What a training on unseen spans needs of other sections."""
        start, problems = self.training.warm_start, []
        if start is None or not start.incremental:
            return []
        if self.data.window is None:
            problems.append(
                "training.warm_start.spans is 'unseen', but data.window does not say how many "
                "spans train: set data.window: {train: 7, test: 1}"
            )
        if self.gate.reference is not None:
            problems.append(
                "training.warm_start.spans is 'unseen', but gate.reference would be trained on "
                "those spans alone, from random weights, and be no match: leave gate.reference or "
                "spans: unseen out"
            )
        return problems

    def _late_label_problems(self) -> list[str]:
        """What labels that are not known at once need of the window and the components."""
        window, components = self.data.window, self.components
        late = {task: after for task, after in self.matures_after.items() if after}
        if not late:
            return []
        if window is None:
            return [
                f"tasks.{task}.matures_after is counted in spans of data.window, which is not set: "
                "set it, say to {train: 7, test: 1}"
                for task in late
                if self.tasks[task].matures_after
            ]
        problems = [
            f"components.{name} is 'stock', but TFX's {stock} knows no labels that mature "
            f"(tasks.{next(iter(late))}.matures_after): leave components.{name} out"
            for name, stock in (("transform", "Transform"), ("evaluation", "Evaluator"))
            if getattr(components, name) == "stock"
        ]
        for task, after in late.items():
            what = f"the labels of task {task} are known {after} spans later (matures_after), "
            if after > window.train + window.test - 1:
                problems.append(
                    f"data.window: {what}and no span that trains is as old: set data.window.train "
                    f"to {after - window.test + 1} or more"
                )
            asked = [t for t in self.gate.thresholds if matches(task, t.task)]
            if after >= window.test and asked:
                problems.append(
                    f"gate.thresholds: {what}so that no span that tests has any, and the threshold "
                    f"on task {asked[0].task!r} could not be decided: set data.window.test to "
                    f"{after + 1} or more, or name other tasks"
                )
        return problems

    @property
    def measures_drift(self) -> bool:
        """Whether `DriftGuard` runs; the stock StatisticsGen counts no values for it."""
        return self.drift.on_drift != "off" and self.components.statistics == "batch"

    def _drift_problems(self) -> list[str]:
        problems = [
            f"drift.features names no feature: {name!r}, {suggest(name, self.features)}"
            for name in self.drift.features
            if name not in self.features
        ]
        problems += [
            f"validation.open_features names no feature: {name!r}, {suggest(name, self.features)}"
            for name in self.validation.open_features
            if name not in self.features
        ]
        problems += [
            f"drift.label_rates names no task: {name!r}, {suggest(name, self.tasks)}"
            for name in self.drift.label_rates
            if name not in self.tasks
        ]
        if "drift" in self.model_fields_set and self.drift.on_drift != "off":
            if self.components.statistics == "stock":
                problems.append(
                    "components.statistics is 'stock', but StatisticsGen counts no values that "
                    "drift could be measured by: leave 'drift' out, or set drift.on_drift: off"
                )
        return problems

    def _skew_problems(self) -> list[str]:
        """What `skew` names and nothing carries, and what it needs."""
        skew, path = self.skew, self.data.serving_path
        if path is None:
            # Left out on purpose, as on a cluster that has none, it is with all that is about it.
            if self.skew.model_fields_set and "serving_path" not in self.data.model_fields_set:
                return [
                    "skew is about logs of what was served, and data.serving_path does not name "
                    "any: set it, or leave skew out"
                ]
            return []
        problems = [
            f"skew.{key} names no {kind}: {name!r}, {suggest(name, known)}"
            for key, kind, names, known in (
                ("scores", "task", skew.scores, self.tasks),
                ("features", "feature", skew.features, self.features),
            )
            for name in names
            if name not in known
        ]
        if skew.key is not None and skew.key not in self.features:
            problems.append(
                f"skew.key names no feature: {skew.key!r}, {suggest(skew.key, self.features)} If "
                f"it is a column, write features.{skew.key}: {{kind: categorical, embed: false}}"
            )
        elif skew.key is not None and self.features[skew.key].kind == "sequence":
            problems.append(f"skew.key should be one value a row: {skew.key!r} is a sequence")
        if skew.scores and self.skew_versions is None:
            problems.append(
                "skew.scores are to be compared with those of the version that made them, but "
                "nothing says where versions lie: set serving.push_to, or skew.versions_in"
            )
        if self.components.statistics == "stock":
            problems.append(
                "components.statistics is 'stock', but StatisticsGen counts no values that "
                "serving logs could be held against: leave data.serving_path out"
            )
        return problems

    @property
    def skew_versions(self) -> str | None:
        """The folder of the versions that served; None where there is none."""
        return self.skew.versions_in or self.serving.push_to

    @property
    def counts_values(self) -> bool:
        """Whether statistics are to hold counts of values."""
        return self.measures_drift or self.data.serving_path is not None

    def _split_problems(self) -> list[str]:
        """Splits that can have no row, whatever the logs hold."""
        split = self.data.split
        if split.by == "span":
            if self.data.window is None:
                return [
                    "data.split is by span, but data.window does not say how many spans train: set "
                    "data.window: {train: 7, test: 1}"
                ]
            return []
        if split.by == "hash" or split.by == "row":
            empty = [name for name in SPLITS if getattr(split, name) == 0.0]
            return [f"data.split.{name} is 0, but every split needs rows" for name in empty]
        drawn = (split.validation if split.by == "file" else split.validation_from) is None
        if drawn and split.validation_share == 0.0:
            return ["data.split.validation_share is 0, but every split needs rows"]
        return []

    def _component_problems(self) -> list[str]:
        """What the stock components can't do."""
        problems = []
        split = self.data.split
        if self.components.example_gen == "stock":
            plain = self.data.reader == "csv" and split.by == "file"
            if not plain or any(
                len(getattr(split, name) or ()) != 1 for name in ("train", "validation", "test")
            ):
                problems.append(
                    "components.example_gen is 'stock', but CsvExampleGen reads 'csv' with "
                    "data.split by file, one pattern for each of train, validation and test"
                )
            if self.components.statistics != "stock":
                problems.append(
                    "components.example_gen is 'stock': set components.statistics to 'stock' as "
                    "well, since CsvExampleGen decides by the values which column is a number"
                )
            if self.data.missing_label != "refuse":
                problems.append(
                    "components.example_gen is 'stock', but CsvExampleGen leaves no row out: leave "
                    "data.missing_label out"
                )
            if self.domain is not None and self.domain.other is not None:
                problems.append(
                    "components.example_gen is 'stock', but CsvExampleGen does not gather domains: "
                    "leave domain.other out"
                )
            if any(feature.kind == "sequence" for feature in self.features.values()):
                problems.append(
                    "components.example_gen is 'stock', but CsvExampleGen has no sequences: take "
                    "them out of 'features'"
                )
        if self.components.transform == "stock" and self.transform.reuse is not None:
            problems.append(
                "components.transform is 'stock', but TFX's Transform analyses everything anew: "
                "leave transform.reuse out, or take one_pass"
            )
        if self.components.evaluation == "stock":
            problems += [
                "components.evaluation is 'stock', but Evaluator knows rules on the AUC of all "
                f"rows only: gate.thresholds has {threshold.rule!r} on {threshold.slice!r}"
                for threshold in self.gate.thresholds
                if threshold.rule != "auc" or threshold.slice != "overall"
            ]
            if self.gate.reference is not None:
                problems.append(
                    "components.evaluation is 'stock', but Evaluator compares with one baseline "
                    "only: leave gate.reference out"
                )
        return problems
