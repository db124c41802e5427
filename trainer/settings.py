"""Settings of the model and its training: the `model` and `training` sections."""

from typing import Annotated, Any, Literal

import pydantic

from transform.settings import Settings

Share = Annotated[float, pydantic.Field(ge=0.0, allow_inf_nan=False)]


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
    """Which epoch's weights are kept, and by what patience counts; see `trainer.selection`.

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
    task_weights: dict[str, Share] | None = None
    domains: Literal["together", "mean"] = "together"
    shrinkage: Share = FEW_POSITIVES

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_name(cls, value: Any) -> Any:
        """A metric's name stands for settings with that metric."""
        return {"metric": value} if isinstance(value, str) else value


class TrainingSettings(Settings):
    """How the model is trained.

    Attributes:
        method: registered training method; None for the network's own (``mtlx models NAME``).
        method_options: the options of the candidate's method by name; a reference that is trained
            with another method (`gate.reference_training`) does not get them.
        optimizer: ``adam``, ``lazy_adam`` for large embedding tables (an update touches the rows
            of the batch alone), or ``sgd``.
        learning_rate: of the optimiser.
        weight_decay: decoupled weight decay per step; 0 for none.
        l2: coefficient of the squared weights added to the gradient, as Adam's ``weight_decay``
            does in the PyTorch code of several papers; 0 for none.
        batch_size: rows per step, over all devices.
        epochs: at most so many passes.
        patience: epochs that are no better by `select_by` before training stops; the best
            epoch's weights are kept. None trains all epochs and keeps the best.
        select_by: which epoch is the best: the name of a metric, or settings.
        loss: the terms; None for the network's own, which is ``binary_cross_entropy`` where its
            paper names nothing else.
        task_weights: weight of a task's loss; 1 where it is not named.
        seed: of weights, shuffling and dropout.
        shuffle_rows: rows that are shuffled together; blocks of this size are read, parsed and
            shuffled as one.
        cache: keep parsed blocks in ``memory`` after the first epoch, or ``none``. Blocks that
            would not fit into memory are not kept; log and report say so.
        checkpoint_every_steps: a killed training loses at most so many steps.
        clip_norm: largest norm of the gradient of all weights together; None for no clipping.
        mixed_precision: compute in bfloat16, which recent GPUs do much faster; weights stay
            float32.
    """

    method: str | None = None
    method_options: dict[str, Any] = {}
    optimizer: Literal["adam", "lazy_adam", "sgd"] = "adam"
    learning_rate: pydantic.PositiveFloat = 1e-3
    weight_decay: Share = 0.0
    l2: Share = 0.0
    batch_size: pydantic.PositiveInt = 2048
    epochs: pydantic.PositiveInt = 10
    patience: pydantic.PositiveInt | None = 2
    select_by: SelectionSettings = SelectionSettings()
    loss: Annotated[list[LossSettings], pydantic.Field(min_length=1)] | None = None
    task_weights: dict[str, Share] = {}
    seed: int = 1
    shuffle_rows: pydantic.PositiveInt = 65_536
    cache: Literal["memory", "none"] = "memory"
    checkpoint_every_steps: pydantic.PositiveInt = 500
    clip_norm: pydantic.PositiveFloat | None = None
    mixed_precision: bool = False
