"""The log that both chains of the benchmark read."""

import shutil
from pathlib import Path

import pandas as pd

from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature


def prepare_log(rows: int, contract: DataContract, folder: Path) -> Path:
    """Simulates rows and keeps the contract's columns, in types on which both chains agree.

    CsvExampleGen infers types from what it reads: a category in digits would become a number and a
    number without a fraction an integer, other than in the data contract. So categories begin with
    a letter and numbers have a fraction.

    Returns:
        The folder with ``day=XX/part-….csv``.
    """
    simulated, logs = folder / "simulated", folder / "logs"
    simulate(SimulationSettings(rows=rows), simulated, overwrite=True)
    shutil.rmtree(logs, ignore_errors=True)
    for path in sorted((simulated / "logs").glob("day=*/*.csv")):
        log = pd.read_csv(path)
        chosen = pd.DataFrame()
        for name, feature in contract.features.items():
            column = log[contract.column(name)]
            if isinstance(feature, NumericFeature):
                chosen[name] = column.astype(float)
            elif isinstance(feature, CategoricalFeature):
                is_text = column.dtype == object
                chosen[name] = column if is_text else "v" + column.astype(str)
        for task in contract.tasks.values():
            chosen[task.label] = log[task.label]
        target = logs / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        chosen.to_csv(target, index=False)
    return logs
