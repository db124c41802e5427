"""A training's record: Markdown for a reader, and numbers that can be compared across runs."""

from mtlx.components.report.formatting import count, duration, fixed, short
from mtlx.kubeflow.page.markdown import plain, table
from mtlx.trainer.validation.history import HISTORY_FILE, read_history

#: Epochs that are listed; of more, the last ones.
_MAXIMUM_EPOCHS = 100


def training_summary(uri: str) -> list[str]:
    """One line per epoch, and where the time went.

    Args:
        uri: of the model run.
    """
    history = read_history(uri)
    if history is None:
        return [f"The trainer left no {HISTORY_FILE}."]
    epochs, best = history["epochs"], history["best_epoch"]
    devices = ", ".join(history["devices"])
    precision = f" in {history['precision']}" if history.get("precision") else ""
    lines = [
        "## Training",
        "",
        f"{count(history['parameters'])} parameters; epoch {best} of {len(epochs)} was kept"
        + (f"; trained on {plain(devices)}{precision}" if devices else "")
        + ".",
    ]
    if history.get("resumed_from_step") is not None:
        lines += ["", f"Resumed from step {count(history['resumed_from_step'])}."]
    for text in (history.get("kept"), *history.get("warnings", []), *history.get("notes", [])):
        lines += ["", plain(text)] if text else []
    tasks = list(dict.fromkeys(task for epoch in epochs for task in epoch["validation_auc"]))
    name = history.get("selection", {}).get("name")
    titles = ("Epoch", ">Loss", *([f">{plain(name[0].upper() + name[1:])}"] if name else []),
              *(f">Validation AUC, {plain(task)}" for task in tasks), ">Rows", ">Time")  # fmt: skip
    rows = [
        (
            f"**{epoch['epoch']}**" if epoch["epoch"] == best else str(epoch["epoch"]),
            short(epoch["loss"]),
            *([fixed(epoch.get("selection"), 5)] if name else []),
            *(fixed(epoch["validation_auc"].get(task)) for task in tasks),
            count(epoch["examples"]),
            duration(epoch["seconds"]),
        )
        for epoch in epochs[-_MAXIMUM_EPOCHS:]
    ]
    lines += table(titles, rows)
    seconds = [(plain(stage), duration(value)) for stage, value in history["seconds"].items()]
    return [*lines, "## Where the time went", *table(("Stage", ">Time"), seconds)]


def training_metrics(uri: str) -> dict[str, float | None]:
    """Numbers of the kept epoch and of the whole training, None where undefined.

    Args:
        uri: of the model run.
    """
    history = read_history(uri)
    if history is None:
        return {}
    values: dict[str, float | None] = {
        "parameters": history["parameters"],
        "epochs": len(history["epochs"]),
        "best_epoch": history["best_epoch"],
        "examples": sum(epoch["examples"] for epoch in history["epochs"]),
    }
    values |= {f"seconds/{stage}": value for stage, value in history["seconds"].items()}
    for epoch in history["epochs"]:
        if epoch["epoch"] == history["best_epoch"]:
            values |= {"loss": epoch["loss"], "selection": epoch.get("selection")}
            values |= {
                f"validation_auc/{task}": value for task, value in epoch["validation_auc"].items()
            }
    return values
