"""Pushes killed at random, watched by readers: ``python -m benchmarks.push_kills``.

Every push runs in a process of its own that gets SIGKILL after a random part of the time that a
push takes; some finish before it. Meanwhile a reader lists the serving folder without a pause, and
reads every version that it sees, as soon as it sees it: a version is whole if its files are those
of one of the models, byte for byte. A second reader loads what it sees with TensorFlow. Then one
push is left alone, and what lies in the folder is counted. The stock Pusher, whose clock goes on by
a second with every push, is put through the same.
"""

import argparse
import dataclasses
import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.version_number import version_numbers

#: Pushes whose time says how long one takes.
_TIMED = 5

#: Makes a model the next version in a serving folder: model, serving folder, number of the push.
PushFunction = Callable[[str, str, int], None]


@dataclasses.dataclass(frozen=True)
class Watched:
    """What a reader saw.

    Attributes:
        looks: how often it listed the folder.
        whole: versions that were whole when they were first read.
        partial: versions that were not.
        changed: versions that held another model, or none, later on.
    """

    looks: int
    whole: int
    partial: int
    changed: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a series of pushes.

    Attributes:
        killed: pushes that were at work when they were killed.
        finished: pushes that had ended before.
        watched: what the reader saw.
        partial_left: versions that are no model, after the last push, which was left alone.
        leftovers: most copies of killed pushes that lay in the state folder at once.
        leftovers_left: those that are there after the last push.
        loaded: versions that TensorFlow loaded; 0 where it was not asked.
        not_loaded: versions that it could not load when it saw them.
    """

    killed: int
    finished: int
    watched: Watched
    partial_left: int
    leftovers: int
    leftovers_left: int
    loaded: int = 0
    not_loaded: int = 0


def kill_pushes(
    push_one: PushFunction,
    models: Sequence[str],
    base: str,
    pushes: int,
    seed: int,
    with_tensorflow: bool = False,
) -> Outcome:
    """Starts pushes and kills them.

    Args:
        push_one: the push; is run in a forked process.
        models: folders of different models, taken in turn.
        base: serving folder, empty.
        pushes: how many are killed.
        seed: of the moments at which they are.
        with_tensorflow: also has a process load the versions with TensorFlow.
    """
    os.makedirs(base, exist_ok=True)
    random_numbers = random.Random(seed)
    expected = frozenset(model_digest(model) for model in models)
    # TensorFlow hangs in a process that was forked from one that has used it. Else to be forked, as
    # the pushes are, saves a process that imports all anew.
    context = multiprocessing.get_context("spawn" if with_tensorflow else "fork")
    stop, results = context.Event(), context.Queue()
    readers = [context.Process(target=_watch, args=(base, expected, stop, results))]
    if with_tensorflow:
        readers.append(context.Process(target=_load, args=(base, stop, results)))
    for reader in readers:
        reader.start()
    for _ in readers:  # each says that it has begun
        results.get()
    seconds = [_one(push_one, models[i % len(models)], base, i, None) for i in range(_TIMED)]
    typical = statistics.median(seconds)
    killed = leftovers = 0
    for index in range(_TIMED, _TIMED + pushes):
        moment = random_numbers.uniform(0.0, 1.1 * typical)
        killed += _one(push_one, models[index % len(models)], base, index, moment) is None
        leftovers = max(leftovers, _leftovers(base))
    last = _TIMED + pushes
    assert _one(push_one, models[last % len(models)], base, last, None) is not None
    stop.set()
    found = dict(results.get() for _ in readers)
    for reader in readers:
        reader.join()
    versions = version_numbers(os.listdir(base)).values()
    loaded, not_loaded = found.get("tensorflow", (0, 0))
    return Outcome(
        killed=killed,
        finished=pushes - killed,
        watched=found["reader"],
        partial_left=sum(model_digest(f"{base}/{name}") not in expected for name in versions),
        leftovers=leftovers,
        leftovers_left=_leftovers(base),
        loaded=loaded,
        not_loaded=not_loaded,
    )


def _one(
    push_one: PushFunction, model: str, base: str, index: int, moment: float | None
) -> float | None:
    """Seconds of a push; None where it was killed, ``moment`` seconds after it had begun."""
    begun, begins = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(begins, b"x")
        push_one(model, base, index)
        os._exit(0)
    os.read(begun, 1)
    os.close(begun)
    os.close(begins)
    started = time.monotonic()
    if moment is not None:
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return None
    assert os.WEXITSTATUS(status) == 0, "a push failed"
    return time.monotonic() - started


def _leftovers(base: str) -> int:
    """Pushes of which the state folder holds something; the stock Pusher has no such folder."""
    state = Path(base, STATE_FOLDER)
    if not state.exists():
        return 0
    return len({entry.stem for entry in state.iterdir()} - {"lock", "highest"})


def _watch(
    base: str, expected: frozenset[str], stop: Event, results: multiprocessing.Queue
) -> None:
    """Reads every version as soon as it is seen; the last look is after the last push."""
    results.put("begun")
    seen: dict[str, str | None] = {}
    partial: set[str] = set()
    looks, last = 0, False
    while not last:
        last = stop.is_set()
        looks += 1
        for name in version_numbers(os.listdir(base)).values():
            if seen.get(name) is None:
                seen[name] = _model_in(f"{base}/{name}", expected)
                if seen[name] is None:
                    partial.add(name)
    changed = sum(_model_in(f"{base}/{name}", expected) != digest for name, digest in seen.items())
    watched = Watched(looks, len(seen) - len(partial), len(partial), changed)
    results.put(("reader", watched))


def _model_in(folder: str, expected: frozenset[str]) -> str | None:
    """Digest of the model in a folder; None where it is none of the expected."""
    try:
        digest = model_digest(folder)
    except FileNotFoundError:
        return None
    return digest if digest in expected else None


def _load(base: str, stop: Event, results: multiprocessing.Queue) -> None:
    """Loads the newest version that it sees with TensorFlow, each once, as a server does."""
    import tensorflow as tf

    results.put("begun")
    seen: dict[int, bool] = {}
    while not stop.is_set():
        number = max(version_numbers(os.listdir(base)), default=0)
        if number and number not in seen:
            try:
                model = tf.saved_model.load(f"{base}/{number}")
                seen[number] = float(model.signatures["score"](tf.constant(1.0))["y"]) > 0.0
            except Exception:  # whatever TensorFlow says of half a model
                seen[number] = False
    loaded = sum(seen.values())
    results.put(("tensorflow", (loaded, len(seen) - loaded)))


def push_ours(model: str, base: str, index: int) -> None:
    """Pushes with `ModelPusher`'s push."""
    push(model, base, run_id=str(index))


def stock_push(folder: str) -> PushFunction:
    """Returns a push as the stock Pusher's executor does it.

    Args:
        folder: for the copies of its output artifacts.
    """
    from absl import logging
    from tfx.components.pusher import executor
    from tfx.types import standard_artifacts

    logging.set_verbosity(logging.ERROR)  # it warns of a push without a blessing

    def function(model: str, base: str, index: int) -> None:
        executor.time.time = lambda: 1_700_000_000 + index
        given, pushed = standard_artifacts.Model(), standard_artifacts.PushedModel()
        # The artifact's folder, which holds the model under TFX's name.
        given.uri, pushed.uri = os.path.dirname(model), f"{folder}/pushed/{index}"
        destination = f'{{"filesystem": {{"base_directory": "{base}"}}}}'
        executor.Executor().Do(
            {"model": [given]}, {"pushed_model": [pushed]}, {"push_destination": destination}
        )

    return function


def _save_model(weights: object, path: str) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.weights = tf.Variable(weights)

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def score(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x * tf.reduce_mean(module.weights)}

    tf.saved_model.save(module, path, signatures={"score": score})


def _save_models(folder: str, count: int) -> list[str]:
    """Writes SavedModels that differ in their weights, a megabyte each."""
    import tensorflow as tf

    paths = []
    for index in range(count):
        paths.append(f"{folder}/{index}/Format-Serving")
        _save_model(tf.random.stateless_uniform([250_000], [1, index]), paths[-1])
    return paths


def _in_a_process(function: Callable[..., list[str]], *arguments: object) -> list[str]:
    """Calls a function in a process of its own, so that this one stays without TensorFlow."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    """Prints a table of both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pushes", type=int, default=1000, help="to be killed; default: 1000")
    parser.add_argument("--seed", type=int, default=1, help="of the moments; default: 1")
    parser.add_argument("--stock", action="store_true", help="the stock Pusher as well")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        models = _in_a_process(_save_models, f"{folder}/models", 4)
        ways = {"ModelPusher": push_ours}
        if arguments.stock:
            ways["stock Pusher"] = stock_push(folder)
        for name, push_one in ways.items():
            base = f"{folder}/{name.replace(' ', '-')}"
            outcome = kill_pushes(
                push_one, models, base, arguments.pushes, arguments.seed, with_tensorflow=True
            )
            rows.append((name, outcome))
    heads = (
        "pushes by", "killed", "finished", "looks", "whole when first read", "partial",
        "partial at the end", "changed", "left-overs at most, at the end", "loaded, not loaded",
    )  # fmt: skip
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for name, outcome in rows:
        seen = outcome.watched
        cells = (
            name, outcome.killed, outcome.finished, f"{seen.looks:,}", seen.whole, seen.partial,
            outcome.partial_left, seen.changed, f"{outcome.leftovers}, {outcome.leftovers_left}",
            f"{outcome.loaded}, {outcome.not_loaded}",
        )  # fmt: skip
        print("| " + " | ".join(str(cell) for cell in cells) + " |")


if __name__ == "__main__":
    main()
