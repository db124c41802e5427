"""How far the rates of labels have moved, per task and domain."""

from mtlx.components.drift_guard import distances
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.drift_guard.drift_result import Movement
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.transform.contract.data_contract import DataContract

Counts = tuple[int, int]


def label_drift(
    new: DescribedRows, before: DescribedRows, contract: DataContract, settings: DriftSettings
) -> tuple[Movement, ...]:
    """Movements of all label rates that both sides have rows of, those that moved most first."""
    found = []
    for task in contract.tasks:
        sides = [_by_domain(side, task, contract) for side in (new, before)]
        for domain in sides[1]:
            if domain in sides[0]:
                one = _movement(task, domain, sides[0][domain], sides[1][domain], settings)
                found.append(one)
    return tuple(sorted(found, key=lambda one: (-one.moved, -one.value)))


def _by_domain(side: DescribedRows, task: str, contract: DataContract) -> dict[str, Counts]:
    """Rows and positives of all rows, under the empty name, and of each domain."""
    found: dict[str, Counts] = {}
    other = contract.domain.other if contract.domain else None
    for value, counts in side.counts.labels.get(task, {}).items():
        names = [""]
        if contract.domain is not None:
            known = value in contract.domains and value != other
            names += [value] if known else [other] if other is not None else []
        for name in names:
            rows, positives = found.get(name, (0, 0))
            found[name] = (rows + counts[0], positives + counts[1])
    return {name: found[name] for name in ("", *contract.domains) if name in found}


def _movement(
    task: str, domain: str, new: Counts, before: Counts, settings: DriftSettings
) -> Movement:
    rates = new[1] / new[0], before[1] / before[0]
    # Half a positive row: a rate of 0 before has a relative difference as well.
    base = max(rates[1], 0.5 / before[0])
    both = (new[1] + before[1]) / (new[0] + before[0])
    noise = distances.share_noise(both, new[0], before[0]) / base
    value = abs(rates[0] - rates[1]) / base
    bound = settings.label_bound(task)
    return Movement(task, "label_rate", value, noise, bound, *rates, domain)
