"""What `benchmarks.gpu` found: kept, written as JSON and as Markdown."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_curve import MEMBER, difference

#: Above this share of error a product is not full float32.
TF32_ERROR = 1e-5


class Results:
    """Rows as they come in; `write` may be called at any time.

    Args:
        folder: where `gpu.json` and `gpu.md` go; made if need be.
        device: the card's name.
        flags: of XLA, "" for none.

    Attributes:
        rates: operations/s of products by precision.
        float32_error: of a product of float32, as a share.
        curves: losses by the name of where they were trained.
        tables: a row per table size.
        skipped: what is not there, for want of time where nothing else is said.
        seconds_per_job: of the last wave of jobs, None before it.
    """

    def __init__(self, folder: Path, device: str, flags: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._device, self._flags = folder, device, flags
        self._started = time.monotonic()
        self.rates: Mapping[str, float] = {}
        self.float32_error = 0.0
        self.curves: Mapping[str, np.ndarray] = {}
        self.tables: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.skipped: list[str] = []
        self.seconds_per_job: float | None = None

    @property
    def tf32(self) -> str:
        """Whether float32 products are TF32, in words."""
        return "TF32 is on" if self.float32_error > TF32_ERROR else "full float32, no TF32"

    def add(self, row: dict[str, Any]) -> None:
        """A cell; its share of the matmul rate is put in."""
        rate = self.rates.get(row["precision"])
        if rate and "step_ms" in row:
            row["share"] = 1000 * row["matmul_flops"] / row["step_ms"] / rate
        self.rows.append(row)

    def line(self, row: Mapping[str, Any]) -> str:
        """A cell as a line of progress."""
        head = f"{row['member']} {row['precision']} {row['batch']:,}:"
        if "error" in row:
            return f"{head} {row['error']}"
        return (
            f"{head} {row['examples_per_s']:,.0f}/s, {row['step_ms']:.2f} ms, share "
            f"{row['share']:.1%}, built {row['prepare_s']:.0f} s, compiled "
            f"{row['compile_s']:.0f} s, loss {row['loss']:.4f}"
        )

    def curve_lines(self) -> list[str]:
        """How far each curve is from the first."""
        (name, first), *others = self.curves.items()
        lines = [f"{MEMBER}, {name}: loss {first[0]:.4f}, after {len(first)} steps {first[-1]:.4f}"]
        for other, losses in others:
            far = difference(losses, first)
            lines.append(f"{other}: {losses[-1]:.4f}, largest difference {far:.1e} of the loss")
        return lines

    def finish(self) -> None:
        self.write()

    def write(self) -> None:
        """Both files, whole or not at all."""
        content = {
            "device": self._device,
            "xla_flags": self._flags,
            "seconds": time.monotonic() - self._started,
            "matmul_rates": dict(self.rates),
            "float32_error": self.float32_error,
            "curves": {name: losses.tolist() for name, losses in self.curves.items()},
            "members": self.rows,
            "tables": self.tables,
            "skipped": self.skipped,
        }
        for name, text in (
            ("gpu.json", json.dumps(content, indent=1)),
            ("gpu.md", self.markdown()),
        ):
            beside = self._folder / f"{name}.part"
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._folder / name)

    def markdown(self) -> str:
        """The tables."""
        lines = [f"{self._device}; {self.tf32}; XLA_FLAGS {self._flags or 'none'}.", ""]
        lines += ["| products of square matrices | TFLOP/s |", "|---|---|"]
        lines += [f"| {name} | {rate / 1e12:,.1f} |" for name, rate in self.rates.items()]
        lines += ["", *self._members(), ""]
        if self.tables:
            lines += ["| rows of the table | MiB | batch | ms per step | rows of the batch/s |"]
            lines += ["|---|---|---|---|---|", *map(_table_row, self.tables), ""]
        if self.curves:
            lines += [f"- {line}" for line in self.curve_lines()] + [""]
        if self.skipped:
            lines += [f"Not measured: {', '.join(self.skipped)}.", ""]
        return "\n".join(lines)

    def _members(self) -> list[str]:
        columns = sorted({(row["batch"], row["precision"]) for row in self.rows})
        columns.sort(key=lambda column: (column[0], column[1] != "float32"))
        cells: dict[str, dict[tuple[int, str], str]] = {}
        parameters: dict[str, str] = {}
        for row in self.rows:
            member = row["member"]
            cells.setdefault(member, {})[row["batch"], row["precision"]] = _cell(row)
            if "parameters" in row:
                parameters[member] = f"{row['parameters']:,}"
        heads = [f"{precision}, {batch:,}" for batch, precision in columns]
        lines = [
            f"| part | parameters | {' | '.join(heads)} |",
            "|" + "---|" * (len(columns) + 2),
        ]
        for member, found in cells.items():
            row = [found.get(column, "–") for column in columns]
            lines.append(f"| `{member}` | {parameters.get(member, '–')} | {' | '.join(row)} |")
        return lines


def _cell(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return str(row["error"]).replace("|", "/")
    return f"{row['examples_per_s']:,.0f} ({row['share']:.0%})"


def _table_row(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"| {row['rows']:,} | – | – | {row['error']} | – |"
    rate = 1000 * row["batch"] / row["step_ms"]
    return (
        f"| {row['rows']:,} | {row['table_mib']:,.0f} | {row['batch']:,} | {row['step_ms']:.2f} "
        f"| {rate:,.0f} |"
    )
