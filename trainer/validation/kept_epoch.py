"""Says in words which epoch of a training is kept, by what and why."""

from mtlx.trainer.validation.history import History


def kept_epoch(history: History) -> str:
    """One sentence for log, terminal and report.

    Args:
        history: with a best epoch (0: the weights that the training began with), and what it
            was selected by.
    """
    selection, best = history.selection, history.best_epoch
    compared = {
        record["epoch"]: record["selection"]
        for record in history.epochs
        if record["epoch"] >= selection["first_epoch"]
    }
    value = compared.pop(best)
    text = (
        f"Epoch {best} of {history.epochs[-1]['epoch']} is kept: {selection['name']} {value:.5f} "
        "on the validation split"
    )
    if compared:
        choose = min if selection["lower_is_better"] else max
        second = choose(compared, key=lambda epoch: compared[epoch])
        extreme = "lowest" if selection["lower_is_better"] else "highest"
        since = f" since epoch {selection['first_epoch']}" if selection["first_epoch"] > 1 else ""
        text += f", the {extreme}{since} (epoch {second} comes next with {compared[second]:.5f})"
    shares = selection["shares"]
    if len(shares) > 1:
        text += "; shares of the tasks: " + ", ".join(
            f"{task} {share:.0%}" for task, share in shares.items()
        )
    return f"{text}."
