"""The experiment: every section of the experiment file, composed from the rooms' own settings."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import pydantic

from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.values.missing_texts import missing_texts
from mtlx.components.one_pass_transform.settings import TransformSettings
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.report.settings import ReportSettings
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.checks import CHECKS
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings
from mtlx.pipeline.experiment.search_settings import SearchSettings
from mtlx.pipeline.notify.settings import NotifySettings
from mtlx.pipeline.tracking.settings import TrackingSettings
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.data_contract import ContractSections, DataContract
from mtlx.transform.contract.features import IdKind, Pretrained

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
        search: which settings ``mtlx tune`` varies, by their names, such as
            ``training.learning_rate``; runs do not look at it.
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
    search: SearchSettings = {}

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
        features = {
            name: self._with_vectors(feature.pretrained, feature)
            for name, feature in self.features.items()
            if isinstance(feature, IdKind) and feature.pretrained is not None
        }
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
        sections = {
            section: getattr(self, section).model_copy(update=keys)
            for section, keys in changed.items()
        }
        if features:
            sections["features"] = {**self.features, **features}
        return self.model_copy(update=sections)

    def _with_vectors(self, given: Pretrained, feature: IdKind) -> IdKind:
        """A feature with the absolute path of its pretrained vectors."""
        path = absolute(given.path, self._folder)
        return feature.model_copy(update={"pretrained": given.model_copy(update={"path": path})})

    def _absolute(self, setting: str, path: str) -> str:
        """The path of a setting, from the file's folder or from here."""
        return absolute(path, None if setting in self._from_here else self._folder)

    @property
    def contract(self) -> DataContract:
        """The sections that all rooms share."""
        sections = {key: getattr(self, key) for key in ContractSections.model_fields}
        return DataContract(**sections, missing=missing_texts(self.data), weight=self.data.weight)

    def as_written(self) -> str:
        """JSON of what the experiment file says, presets spelt out, without how it is run.

        Settings that have their defaults are left out, and so are the sections `run`, `notify`,
        `tracking`, `kubeflow` and `search`, on which no result depends.
        """
        not_of_the_result = {"run", "notify", "tracking", "kubeflow", "search"}
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
        problems = [problem for check in CHECKS for problem in check(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def measures_drift(self) -> bool:
        """Whether `DriftGuard` runs; the stock StatisticsGen counts no values for it."""
        return self.drift.on_drift != "off" and self.components.statistics == "batch"

    @property
    def skew_versions(self) -> str | None:
        """The folder of the versions that served; None where there is none."""
        return self.skew.versions_in or self.serving.push_to

    @property
    def counts_values(self) -> bool:
        """Whether statistics are to hold counts of values."""
        return self.measures_drift or self.data.serving_path is not None
