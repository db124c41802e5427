"""Settings of the model and its training: the `model` and `training` sections."""

from typing import Annotated, Any, Literal

import pydantic

from transform.settings import Settings

Share = Annotated[float, pydantic.Field(ge=0.0)]


class ModelSettings(Settings):
    """Which network is built, and from what parts.

    Attributes:
        network: registered name, see ``mtlx models``.
        options: the network's options by name.
        embedding_size: k, the width of every field's embedding.
        sequence_encoder: registered name; what becomes of the behaviour sequences.
        sequence_options: the encoder's options by name.
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
        patience: epochs without a better mean validation AUC before training stops; the best
            epoch's weights are kept. None trains all epochs and keeps the best.
        loss: the terms; None for the network's own, which is ``binary_cross_entropy`` where its
            paper names nothing else.
        task_weights: weight of a task's loss; 1 where it is not named.
        seed: of weights, shuffling and dropout.
        shuffle_rows: rows that are shuffled together; blocks of this size are read, parsed and
            shuffled as one.
        cache: keep parsed blocks in ``memory`` after the first epoch, or ``none``.
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
    loss: Annotated[list[LossSettings], pydantic.Field(min_length=1)] | None = None
    task_weights: dict[str, Share] = {}
    seed: int = 1
    shuffle_rows: pydantic.PositiveInt = 65_536
    cache: Literal["memory", "none"] = "memory"
    checkpoint_every_steps: pydantic.PositiveInt = 500
    clip_norm: pydantic.PositiveFloat | None = None
    mixed_precision: bool = False
