"""Seconds and peak memory of every node of this project's pipeline as the log grows.

    python -m benchmarks.growth --rows 100000 1000000 5000000

The experiment is that of benchmarks/chain.py with one epoch and without the cache of parsed
examples (training.cache: none), so that no node may hold the rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chain import EXPERIMENT, FOLDER


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    if arguments.out:
        _measure(arguments.rows[0], Path(arguments.out))
        return
    runs = {}
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "nodes.json")
            command = [sys.executable, "-m", "benchmarks.growth", "--out", str(out)]
            subprocess.run([*command, "--rows", str(rows)], check=True)
            runs[rows] = json.loads(out.read_text(encoding="utf-8"))
    Console(width=110).print(_table(runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(rows: int, out: Path) -> None:
    import dataclasses

    import yaml

    from benchmarks.chain import run_ours
    from benchmarks.chain_log import prepare_log
    from mtlx.transform.contract.data_contract import DataContract

    values = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    values["training"] = {**values["training"], "epochs": 1, "cache": "none"}
    contract = DataContract.read(
        {key: values[key] for key in DataContract.model_fields if key in values}
    )
    logs = prepare_log(rows, contract, FOLDER.resolve())
    nodes = [dataclasses.asdict(node) for node in run_ours(values, logs)]
    out.write_text(json.dumps(nodes), encoding="utf-8")


def _table(runs: dict[int, list[dict]]) -> Table:
    """A line per node: seconds and peak MiB at every size."""
    table = Table("node", title="Seconds / peak MiB of the process")
    for rows in runs:
        table.add_column(f"{rows:,} rows", justify="right")
    for place, node in enumerate(next(iter(runs.values()))):
        found = [run[place] for run in runs.values()]
        cells = [f"{item['seconds']:.1f} / {item['mebibytes']:,.0f}" for item in found]
        table.add_row(node["node_id"], *cells)
    totals = [sum(node["seconds"] for node in run) for run in runs.values()]
    table.add_section()
    table.add_row("all nodes", *[f"{total:.1f}" for total in totals])
    rates = [f"{rows / total:,.0f}" for rows, total in zip(runs, totals, strict=True)]
    table.add_row("rows per second", *rates)
    return table


if __name__ == "__main__":
    main()
