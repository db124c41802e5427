"""Trainings that are killed, and go on from their checkpoints."""


class _Killed(Exception):
    pass


def train_killed(build, steps):
    """Trains to the end, though killed again and again.

    Args:
        build: makes the method of the same job anew, as a process that starts again does.
        steps: rising numbers of steps behind which a training is killed.

    Returns:
        The last training's result, and the steps behind which the trainings started.
    """
    starts = [kill_behind(build(), step) for step in steps]
    result = build().train()
    return result, [*starts, result.history.resumed_from_step]


def kill_behind(method, step):
    """Trains until a training is killed behind a step; returns that behind which it started."""
    starts = []
    _kill(method, step, starts)
    try:
        method.train()
    except _Killed:
        return starts[0]
    raise AssertionError(f"the training ended before step {step}")


def _kill(method, step, starts):
    count, seen = method.loop._count, []

    def killed(batch, losses):
        done = method.loop.state.progress.step
        if not seen:
            starts.append(done)
        seen.append(done)
        if done == step:
            raise _Killed
        count(batch, losses)

    method.loop._count = killed
