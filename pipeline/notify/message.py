"""What is told of a run."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Message:
    """How a run ended.

    Attributes:
        event: of those that happened and are asked for, the one that says most.
        events: all that happened.
        experiment: its name.
        run_id: of the run; empty for one that was refused before it began.
        outcome: how it ended, in words: ``not blessed``, ``failed at Trainer``.
        lines: the verdict's lines, or what failed and why.
        report: path of the report; None where the run left none.
        log: path of the run's log, likewise.
        pushed_to: folder of the version that was pushed, or None.
    """

    event: str
    events: tuple[str, ...]
    experiment: str
    run_id: str
    outcome: str
    lines: tuple[str, ...]
    report: str | None
    log: str
    pushed_to: str | None = None

    @property
    def text(self) -> str:
        """All of it, for people."""
        run = f" (run {self.run_id})" if self.run_id else ""
        lines = [f"{self.experiment}: {self.outcome}{run}", *self.lines]
        if self.pushed_to:
            lines.append(f"Pushed to {self.pushed_to}")
        if self.report or self.log:
            lines.append(f"Report: {self.report}" if self.report else f"Log: {self.log}")
        return "\n".join(lines)

    def variables(self) -> dict[str, str]:
        """All of it, for a program's environment; what there is not is empty."""
        values = {**dataclasses.asdict(self), "events": " ".join(self.events)}
        del values["lines"]
        return {f"MTLX_{name.upper()}": value or "" for name, value in values.items()}

    def payload(self) -> dict[str, object]:
        """All of it, for JSON; ``text`` is what chat programs show."""
        return {"text": self.text, **dataclasses.asdict(self)}
