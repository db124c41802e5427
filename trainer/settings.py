"""Settings of the model and its training: the `model` and `training` sections."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings, SettingsError

NonNegative = Annotated[float, pydantic.Field(ge=0.0, allow_inf_nan=False)]


class ModelSettings(Settings):
    """Which network is built, and from what parts.

    Attributes:
        network: registered name, see ``mtlx models``.
        options: the network's options by name.
        embedding_size: k, the width of every field's embedding.
        sequence_encoder: registered name; what becomes of the behaviour sequences.
        sequence_options: the encoder's options by name. Every encoder has `sequences`, names of
            the sequences that it reads (``first``: the first of the features); the others stay in
            the data and in the served model's inputs, and no time is spent on them. None for all.
        bottom: registered name; what is made of fields and interests before the network.
        bottom_options: the bottom's options by name.
        arrangement: ``joint`` for one model of all domains, ``mtl`` for a model per domain,
            ``mdl`` for a model per task, ``mtmd`` for one with an output per domain and task.
    """

    network: str
    options: dict[str, Any] = {}
    embedding_size: pydantic.PositiveInt = 16
    sequence_encoder: str = "mean_pooling"
    sequence_options: dict[str, Any] = {}
    bottom: str = "none"
    bottom_options: dict[str, Any] = {}
    arrangement: str = "joint"


class LossSettings(Settings):
    """One term of the loss; the terms are added.

    Attributes:
        name: registered name.
        options: the loss's options by name.
    """

    name: str
    options: dict[str, Any] = {}


#: Rows of the rarer class below which a task is said to have too few to select by. So many events,
#: and so many rows without, is what it takes for a probability model's validation to be trusted
#: (Vergouwe et al., J Clin Epidemiol 58, 2005; Collins, Ogundimu and Altman, Stat Med 35, 2016).
FEW_POSITIVES = 100


class SelectionSettings(Settings):
    """Which epoch's weights are kept, and by what patience counts; see
    `mtlx.trainer.validation.selection`.

    A metric's name alone stands for these settings with that metric: ``select_by: auc``.

    Attributes:
        metric: what is measured of every task on the validation split. ``normalised_entropy``,
            the log loss divided by that of the base rate, which is 1 for a model that knows
            nothing, so that rare and frequent tasks weigh alike; ``log_loss``; ``auc``;
            ``relative_auc``, which compares epochs by the ratio of what their AUCs have over
            chance, as RelaImp does. The two last ones see the order alone: a task that grows too
            sure of itself goes on unseen, and a loss that does not aim at probabilities (focal,
            weights of classes) is judged fairly.
        task_weights: weight of a task where an epoch is chosen, 1 where it is not named; 0 for no
            say. None for `training.task_weights`.
        domains: measure the rows of all domains ``together``, or those of each domain, and take
            the ``mean`` over domains and tasks.
        shrinkage: k of n / (n + k), by which a task's weight is multiplied that has n validation
            rows of its rarer class; 0 for full weight however few they are. With ``metric: auc``
            and no weights, 0 gives the plain mean of the AUCs.
    """

    metric: Literal["normalised_entropy", "log_loss", "auc", "relative_auc"] = "normalised_entropy"
    task_weights: dict[str, NonNegative] | None = None
    domains: Literal["together", "mean"] = "together"
    shrinkage: NonNegative = FEW_POSITIVES

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_name(cls, value: Any) -> Any:
        """A metric's name stands for settings with that metric."""
        return {"metric": value} if isinstance(value, str) else value


class ScheduleSettings(Settings):
    """How the learning rate changes while a model is trained.

    The name of a schedule alone stands for these settings with that name: ``schedule: cosine``.

    Attributes:
        name: registered name.
        options: the schedule's options by name.
        warm_up_steps: the rate rises in equal steps to its full size over so many steps.
        warm_up_share: the same as a share of all steps of the training's epochs.
    """

    name: str = "constant"
    options: dict[str, Any] = {}
    warm_up_steps: pydantic.NonNegativeInt = 0
    warm_up_share: Annotated[float, pydantic.Field(ge=0.0, lt=1.0)] = 0.0

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_name(cls, value: Any) -> Any:
        """A schedule's name stands for settings with that name."""
        return {"name": value} if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _one_warm_up(self) -> "ScheduleSettings":
        if self.warm_up_steps and self.warm_up_share:
            raise ValueError("warm_up_steps and warm_up_share say the same: give one of them")
        return self

    @property
    def changes(self) -> bool:
        """Whether the rate is not the same in every step."""
        return self.name != "constant" or self.warm_up_steps > 0 or self.warm_up_share > 0


class EmbeddingTraining(Settings):
    """What is other for the embedding tables of ids; what is None is as for all other weights.

    Most rows of a table occur in few rows of the log: they get few steps, and learn those few rows
    by heart. Numbers, positions, tasks and domains have no part in these tables.

    Attributes:
        learning_rate: of the tables; 0 leaves them as they start. The schedule's share is that of
            all weights.
        weight_decay: decoupled weight decay of the tables; ``lazy_adam`` has none for them.
        l2: coefficient of the tables' squares; with ``lazy_adam`` of the rows that a batch has
            touched.
        shard: where several workers train, each holds a share of the tables' rows, and of what the
            optimiser keeps for them, in the place of all. ``auto`` does so from 1 GiB of tables on
            (all ids × `embedding_size` × 4 bytes) where it can: with optimizer ``lazy_adam``,
            method ``standard``, one device per worker, and without the optimiser's state of a
            base model. ``true`` does so whatever their size, and refuses the rest.
    """

    learning_rate: NonNegative | None = None
    weight_decay: NonNegative | None = None
    l2: NonNegative | None = None
    shard: bool | Literal["auto"] = "auto"

    @property
    def apart(self) -> bool:
        """Whether the tables need an optimiser of their own."""
        return self.learning_rate is not None or self.weight_decay is not None


class AverageSettings(Settings):
    """A moving average of the weights, which is validated, selected and exported in their place.

    The momentum alone stands for these settings with it: ``average: 0.99``.

    Attributes:
        momentum: m of a_t = m_t a_(t−1) + (1 − m_t) w_t, m_t = min(m, t / (t + 9)) at step t from
            1 on, so that the average of a short training is not that of its start. All weights are
            averaged, and moving statistics with them; a step costs one more pass over all weights,
            embedding tables included, but of these under ``lazy_adam`` over the rows of its batch
            alone.
    """

    momentum: Annotated[float, pydantic.Field(gt=0.0, lt=1.0)] = 0.99

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_momentum(cls, value: Any) -> Any:
        """A number stands for settings with that momentum."""
        number = isinstance(value, float | int) and not isinstance(value, bool)
        return {"momentum": value} if number else value


#: What `training.warm_start` names where no folder is meant.
LATEST_BLESSED = "latest_blessed"
#: What stands for the settings of the usual case, a day that costs a day.
INCREMENTAL = "incremental"


class _WarmStartSource(Settings):
    """A setting whose name is a word of Python's: `WarmStartSettings` says what it means."""

    # `from: str` is no Python, so pydantic is told by the names that it reads.
    __annotations__ = {"from": Annotated[str, pydantic.Field(min_length=1)]}


class WarmStartSettings(_WarmStartSource):
    """What a training begins with instead of random weights: those of a base model.

    ``latest_blessed``, or a folder, alone stands for these settings with it in `from`;
    ``incremental`` for ``{from: latest_blessed, spans: unseen}``.

    Attributes:
        from: ``latest_blessed``, the model that the gate let through last, of the runs before this
            one; or a folder: a SavedModel, a folder with versions of one, whose largest is taken,
            or the checkpoint of a training that was interrupted.
        otherwise: what is done about a base model of another architecture, or one that is gone:
            ``refuse`` stops and says what differs, ``initial`` says so and trains from the start.
        new_rows: what the embeddings of values start from that the base model has not seen:
            ``initial``, as without warm start; ``mean``, the mean of their field's values.
        optimizer: the optimiser's moments come along, too; the exported model then holds them for
            the next training, which makes it up to three times as large.
        spans: with `data.window`, which of its spans train: ``window``, all that are to train;
            ``unseen``, those that the base model has not seen, in `epochs` passes. Then the base
            model's numeric analysis is kept, and its vocabularies, to which new values are added.
            Where there is no base model yet the whole window trains, from random weights.
        every: with ``unseen``, once so many spans have come since the last training from random
            weights, the whole window trains from such again, and everything is analysed anew.
            None for never.
        epochs: with ``unseen``, passes over the spans; `training.epochs` are those of the others.
    """

    otherwise: Literal["refuse", "initial"] = "refuse"
    new_rows: Literal["initial", "mean"] = "initial"
    optimizer: bool = False
    spans: Literal["window", "unseen"] = "window"
    every: pydantic.PositiveInt | None = None
    epochs: pydantic.PositiveInt = 1

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_source(cls, value: Any) -> Any:
        """What is started from stands for settings with it."""
        if value == INCREMENTAL:
            return {"from": LATEST_BLESSED, "spans": "unseen"}
        return {"from": value} if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _unseen_is_whole(self) -> "WarmStartSettings":
        if self.incremental:
            if self.folder is not None:
                raise ValueError(
                    "spans: unseen needs from: latest_blessed, since which spans a model has seen "
                    f"is told by this pipeline's metadata. Received: from: {self.folder}"
                )
            if self.otherwise == "initial":
                raise ValueError(
                    "spans: unseen with otherwise: initial would train a model of a day alone "
                    "where the base model does not fit. Leave otherwise out; to begin anew on the "
                    "whole window, run once with --set training.warm_start=null"
                )
            return self
        # Not what was set: the Trainer is handed all settings, those with defaults included.
        given = [*(["every"] if self.every else []), *(["epochs"] if self.epochs != 1 else [])]
        if given:
            raise ValueError(
                f"{' and '.join(given)} {'are' if len(given) > 1 else 'is'} about spans: unseen, "
                "which is not set"
            )
        return self

    @property
    def incremental(self) -> bool:
        """Whether a training reads only what its base model has not seen."""
        return self.spans == "unseen"

    @property
    def source(self) -> str:
        """What `from` holds."""
        source: str = getattr(self, "from")
        return source

    @property
    def folder(self) -> str | None:
        """The folder of the base model; None for the latest blessed one."""
        return None if self.source == LATEST_BLESSED else self.source


class TrainingSettings(Settings):
    """How the model is trained.

    Attributes:
        method: registered training method; None for the network's own (``mtlx models NAME``).
        method_options: the options of the candidate's method by name; a reference that is trained
            with another method (`gate.reference_training`) does not get them.
        optimizer: ``adam``, ``lazy_adam`` for large embedding tables (an update touches the rows
            of the batch alone), or ``sgd``.
        learning_rate: of the optimiser, at its full size.
        schedule: how the rate changes while the model is trained: the name of a schedule, or
            settings.
        embeddings: what is other for the embedding tables.
        weight_decay: decoupled weight decay per step; 0 for none.
        l2: coefficient of the squared weights added to the gradient, as Adam's ``weight_decay``
            does in the PyTorch code of several papers; 0 for none.
        batch_size: rows per step, over all devices.
        batch_parts: a step's rows are computed in so many parts, one after the other, whose
            gradients are added up (gradient accumulation): the step of the whole batch, with the
            activations of one part in memory at a time. Batch normalisation and losses over
            pairs of rows see one part at a time.
        average: validate, select and export a moving average of the weights, with this momentum
            or settings; None for the weights themselves.
        epochs: at most so many passes. With `warm_start` 0 takes the base model's weights as they
            are, for today's vocabularies.
        patience: epochs that are no better by `select_by` before training stops; the best
            epoch's weights are kept. None trains all epochs and keeps the best.
        select_by: which epoch is the best: the name of a metric, or settings.
        loss: the terms; None for the network's own, which is ``binary_cross_entropy`` where its
            paper names nothing else.
        task_weights: weight of a task's loss; 1 where it is not named.
        seed: of weights, shuffling and dropout.
        repeats: train so many times, one after the other, from the seeds `seed`, `seed` + 1 and so
            on, and judge means over them with intervals over rows (users) *and* seeds. Exported,
            pushed and gone on from is the training with the median value of `select_by`, of an even
            number the lower of the two in the middle. 1, or at least 3: of 2 the spread between
            seeds is not known.
        shuffle_rows: rows that are shuffled together; blocks of this size are read, parsed and
            shuffled as one.
        cache: keep parsed blocks in ``memory`` after the first epoch, or ``none``. Blocks that
            would not fit into memory are not kept; log and report say so.
        checkpoint_every_steps: a killed training loses at most so many steps, and those that it
            took while the last checkpoint was still being written.
        clip_norm: largest norm of the gradient of all weights together; None for no clipping.
        precision: what steps compute in: ``float32``, or ``bfloat16``, in which recent processors
            and GPUs multiply much faster; weights, optimiser, losses, validation and the exported
            model are in float32 either way. ``auto`` takes bfloat16 where all of the training's
            devices multiply in it (processors with avx512_bf16 or amx_bf16, GPUs of compute
            capability 8.0 or more), and float32 elsewhere. Trees ignore it.
        warm_start: the base model whose weights the training begins with: ``latest_blessed``, a
            folder, ``incremental`` (the latest blessed one, trained on what it has not seen), or
            settings; None begins with random ones. Embeddings are taken over by value.
            A reference model is trained from the start either way.
    """

    method: str | None = None
    method_options: dict[str, Any] = {}
    optimizer: Literal["adam", "lazy_adam", "sgd"] = "adam"
    learning_rate: pydantic.PositiveFloat = 1e-3
    schedule: ScheduleSettings = ScheduleSettings()
    embeddings: EmbeddingTraining = EmbeddingTraining()
    weight_decay: NonNegative = 0.0
    l2: NonNegative = 0.0
    batch_size: pydantic.PositiveInt = 2048
    batch_parts: pydantic.PositiveInt = 1
    average: AverageSettings | None = None
    epochs: pydantic.NonNegativeInt = 10
    patience: pydantic.PositiveInt | None = 2
    select_by: SelectionSettings = SelectionSettings()
    loss: Annotated[list[LossSettings], pydantic.Field(min_length=1)] | None = None
    task_weights: dict[str, NonNegative] = {}
    seed: int = 1
    repeats: pydantic.PositiveInt = 1
    shuffle_rows: pydantic.PositiveInt = 65_536
    cache: Literal["memory", "none"] = "memory"
    checkpoint_every_steps: pydantic.PositiveInt = 500
    clip_norm: pydantic.PositiveFloat | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    warm_start: WarmStartSettings | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_former_name(cls, value: Any) -> Any:
        """``mixed_precision: true`` or ``false``, as experiments and records of before say it."""
        if not isinstance(value, Mapping) or "mixed_precision" not in value:
            return value
        mixed = value["mixed_precision"]
        now = "bfloat16" if mixed else "float32"
        if not isinstance(mixed, bool) or value.get("precision", now) != now:
            raise ValueError(
                "mixed_precision is called precision now, and is auto, float32 or bfloat16: leave "
                f"mixed_precision out. Received: {mixed!r}"
            )
        rest = {key: one for key, one in value.items() if key != "mixed_precision"}
        return {**rest, "precision": now}

    @pydantic.model_validator(mode="after")
    def _fitting(self) -> "TrainingSettings":
        if self.batch_parts > self.batch_size:
            raise ValueError(
                f"batch_parts must not exceed batch_size. Received: {self.batch_parts} parts of "
                f"{self.batch_size} rows"
            )
        self._check_repeats()
        if self.epochs == 0 and self.warm_start is None:
            text = (
                "0 trains nothing: it takes over a base model's weights as they are, and "
                "warm_start names none. Received: 0"
            )
            raise SettingsError([(("epochs",), text)])
        if self.epochs == 0 and self.warm_start is not None and self.warm_start.incremental:
            text = (
                "0 trains nothing, and with warm_start.spans: unseen these are the passes of the "
                "training from random weights. Received: 0"
            )
            raise SettingsError([(("epochs",), text)])
        if self.batch_parts > 1 and self.method == "meta":
            raise ValueError(
                "method 'meta' steps down a gradient through every task's own step, which can't "
                f"be computed in parts: set batch_parts to 1. Received: {self.batch_parts}"
            )
        if self.optimizer == "lazy_adam" and self.embeddings.weight_decay:
            raise ValueError(
                "'lazy_adam' leaves alone the rows that a batch has not touched, and so has no "
                "weight decay for tables: use embeddings.l2. Received: embeddings.weight_decay "
                f"{self.embeddings.weight_decay}"
            )
        reason = self.not_sharded
        if self.embeddings.shard is True and reason is not None:
            text = f"is true, and {reason}: change that, or set it to auto or false"
            raise SettingsError([(("embeddings", "shard"), text)])
        return self._check_plateau()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are trained from, one after the other."""
        return tuple(range(self.seed, self.seed + self.repeats))

    @property
    def not_sharded(self) -> str | None:
        """Why these settings leave embedding tables on every worker; None where they do not."""
        if self.optimizer != "lazy_adam":
            return f"optimizer {self.optimizer!r} moves every row at every step, lazy_adam does not"
        if self.warm_start is not None and self.warm_start.optimizer:
            return "warm_start.optimizer takes over, and exports, the moments of whole tables"
        return None

    def _check_repeats(self) -> None:
        if self.repeats == 2:
            text = (
                "2 seeds say next to nothing of how far seeds differ: with one degree of freedom a "
                "95 % interval reaches 12.7 standard errors, and nothing is ever shown. Train from "
                "1 seed, or from 3 and more. Received: 2"
            )
            raise SettingsError([(("repeats",), text)])
        if self.repeats > 1 and self.epochs == 0:
            text = (
                "with epochs: 0 no step is taken, so that every seed gives the base model's own "
                f"weights: leave repeats out. Received: {self.repeats}"
            )
            raise SettingsError([(("repeats",), text)])

    def _check_plateau(self) -> "TrainingSettings":
        patience = self.schedule.options.get("patience", 1)
        is_plateau = self.schedule.name == "plateau" and isinstance(patience, int)
        if is_plateau and self.patience is not None and patience >= self.patience:
            raise ValueError(
                f"schedule 'plateau' reduces the rate after {patience} epochs without gain, but "
                f"patience {self.patience} ends the training then: give it more patience, or none"
            )
        return self
