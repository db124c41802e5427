"""Processes of commands that train models, which do nothing but take their time.

    python fake_work.py TASK.json LOG

does what `mtlx.pipeline.trainings.work` does, without a training: a file ``begun`` in a task's
folder has a line with the process's number for each time that it began. What it makes is told by
the learning rate alone. For tests of the commands themselves: their kills, and what they find
afterwards.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from mtlx.pipeline.trainings.epochs_line import epochs_line
from mtlx.pipeline.trainings.processes import end_with_parent

#: Of such a process.
COMMAND = (sys.executable, __file__)
EPOCHS = 3
#: Of an epoch, and of an evaluation.
SECONDS = 0.05
#: By this file's path, as a forked process knows no package of tests.
_COMMAND = """
import runpy, sys
runpy.run_path(sys.argv[1])["commands_use_it"]()
from mtlx.pipeline.command_line import main
sys.exit(main(sys.argv[2:]))
"""


def commands_use_it():
    """Has commands of this process prepare nothing, start this file, and read what it wrote."""
    from mtlx.pipeline.compare import compare
    from mtlx.pipeline.trainings import processes
    from mtlx.pipeline.trainings.task import Prepared
    from mtlx.pipeline.tune import tune

    for module in (compare, tune):
        module.prepare = lambda *_: Prepared("graph", ("examples",), "[]", False)
    processes.Processes.__init__.__defaults__ = (COMMAND,)
    compare.load_results = _results


def begun(folder):
    """By task how many processes began it."""
    return {
        path.parent.name: len(path.read_text(encoding="utf-8").split())
        for path in folder.glob("*/*/begun")
    }


def started(command):
    """A process of a command of ours, with such processes and its output in one stream."""
    from tests.forked_process import ForkedProcess

    return ForkedProcess(
        [sys.executable, "-c", _COMMAND, __file__, *command],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_until_begun(process, folder, tasks):
    """Waits until so many tasks of a command were begun."""
    while len(begun(folder)) < tasks and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, process.stdout.read()


def all_gone(folder):
    """Whether no process that was begun is left after a while."""
    numbers = {n for path in folder.glob("*/*/begun") for n in path.read_text().split()}
    until = time.monotonic() + 30
    while left := [number for number in numbers if Path(f"/proc/{number}").exists()]:
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return not left


def _results(uri):
    from mtlx.components.slice_evaluation.results import SliceResults
    from mtlx.components.slice_evaluation.stored.found_metrics import Comparison, SliceMetrics

    aucs = json.loads((Path(uri) / "slice_evaluation.json").read_text(encoding="utf-8"))
    models = ("candidate", "reference")[: len(aucs)]
    metrics = [
        SliceMetrics(model, "click", (), auc, auc - 0.01, auc + 0.01, None, None, 10, 20)
        for model, auc in zip(models, aucs, strict=True)
    ]
    comparisons = [
        Comparison(model, "click", (), None, None, None, aucs[0] - auc, -1.0, 1.0)
        for model, auc in zip(models[1:], aucs[1:], strict=True)
    ]
    return SliceResults(models, ("click",), 0.95, None, metrics, comparisons)


def _train(values):
    rate, epochs = json.loads(values["training"])["learning_rate"], []
    for epoch in range(1, EPOCHS + 1):
        epochs.append({"epoch": epoch, "selection": rate + 1 / epoch})
        print(epochs_line(epochs), flush=True)
        time.sleep(SECONDS)
    told = {"parameters": 1, "embedding_parameters": 0, "factor": None, "seconds": 1.0}
    return told | {"rows_per_second": 1.0, "kept": EPOCHS, "epochs": epochs, "auc": 0.8 - rate}


def _evaluate(values):
    time.sleep(SECONDS)
    folders = [folder for folder in (values["candidate"], values["other"]) if folder]
    return [json.loads((Path(one) / "trained.json").read_text())["auc"] for one in folders]


def _main():
    threading.Thread(target=end_with_parent, daemon=True).start()
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(told["folder"])
    with open(folder / "begun", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    evaluates = told["kind"] == "Evaluation"
    made = _evaluate(told["values"]) if evaluates else _train(told["values"])
    path = folder / ("slice_evaluation.json" if evaluates else "trained.json")
    path.write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    _main()
