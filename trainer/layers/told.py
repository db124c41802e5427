"""What layers compute on the way to the logits, for who asks; for all others it costs nothing.

A model is trained, served and evaluated by its outputs. Who wants to see inside calls it, or traces
it, while `listening`: layers then leave what they tell. Where nobody listens `tell` does nothing,
so that no graph of training or serving has an operation more for it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias

import keras
from keras import ops

#: What a task's logit is linear in, ``(B, T, h)``; the output of a model that listens has it too.
REPRESENTATION = "representation"
#: How much each query attends to each position, ``(B, C, Q, L)``; of a model, by the target alone:
#: ``(B, C, L)``.
ATTENTION = "attention"

#: By name, in the order in which they were told: what it is of, and the values.
Told: TypeAlias = dict[str, list[tuple[tuple[int, ...] | None, keras.KerasTensor]]]

_LISTENER: ContextVar[Told | None] = ContextVar("listener", default=None)


@contextlib.contextmanager
def listening() -> Iterator[Told]:
    """Collects what is told while the block runs, instead of whoever listened before."""
    told: Told = {}
    token = _LISTENER.set(told)
    try:
        yield told
    finally:
        _LISTENER.reset(token)


def is_listening() -> bool:
    """Whether anybody listens."""
    return _LISTENER.get() is not None


def tell(name: str, values: keras.KerasTensor, places: Sequence[int] | None = None) -> None:
    """Leaves values for who listens, if anybody does.

    Args:
        name: `REPRESENTATION` or `ATTENTION`.
        values: see there.
        places: of a representation, the tasks that it is of, by their positions; None for all.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener.setdefault(name, []).append((None if places is None else tuple(places), values))


def with_told(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, Told]:
    """Calls something, and collects what it tells where anybody listens at all."""
    if not is_listening():
        return call(*arguments, **named), {}
    with listening() as told:
        return call(*arguments, **named), told


def representation_of(told: Told, tasks: int) -> dict[str, keras.KerasTensor]:
    """The representation of all tasks out of what was told of some at a time.

    Args:
        told: by a network.
        tasks: T.

    Returns:
        `REPRESENTATION` ``(B, T, h)``; nothing where a task's was not told.
    """
    of_task: dict[int, keras.KerasTensor] = {}
    for places, values in told.get(REPRESENTATION, []):
        for index, task in enumerate(range(tasks) if places is None else places):
            # A linear tower reads one vector for all tasks.
            of_task[task] = values if len(values.shape) == 2 else values[:, index]
    if len(of_task) < tasks:
        return {}
    return {REPRESENTATION: ops.stack([of_task[task] for task in range(tasks)], axis=1)}


def target_attention(told: Told, target_place: int | None) -> dict[str, keras.KerasTensor]:
    """How much the target item attends to each behaviour, out of what an encoder told.

    Args:
        told: by a sequence encoder; of several attentions the last one counts.
        target_place: where the target stands among the positions of a sequence, 0 or -1; None
            where it is not among them, and the only query.

    Returns:
        `ATTENTION` ``(B, C, L)``, without the target's attention to itself; nothing where none was
        told.
    """
    if ATTENTION not in told:
        return {}
    weights = told[ATTENTION][-1][1]
    if len(weights.shape) == 4:
        if target_place is None and weights.shape[2] != 1:
            return {}
        weights = weights[:, :, -1 if target_place is None else target_place]
        if target_place is not None:
            weights = weights[:, :, 1:] if target_place == 0 else weights[:, :, :-1]
    return {ATTENTION: weights}
