"""Whether a model can be compared on the examples of a run, or why not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mtlx.components.slice_evaluation.models.model_reads import FeatureForm, ModelReads
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import SequenceFeature
from mtlx.transform.contract.rows.condition import Condition

#: Names that a message lists.
_SHOWN = 5


@dataclass(frozen=True)
class Incomparable:
    """Why a model is not compared; empty where it is.

    Attributes:
        everywhere: the reasons that hold for every task, each the end of a sentence about the
            model ("reads price, which the examples do not hold").
        tasks: reasons by task.
    """

    everywhere: list[str] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)

    def reasons(self, tasks: tuple[str, ...]) -> dict[str, str]:
        """One text per task that cannot be compared."""
        if self.everywhere:
            return dict.fromkeys(tasks, "; it ".join(self.everywhere))
        return self.tasks


def find_differences(
    reads: ModelReads,
    held: Mapping[str, FeatureForm],
    contract: DataContract,
    empty: Collection[str] = (),
) -> Incomparable:
    """Compares what a model reads with what the examples hold.

    A model that lacks a feature scores all the same, with the feature missing, and loses by that
    alone: such a comparison says nothing of the candidate.

    Args:
        reads: of the model.
        held: of the examples.
        contract: of the run: its domains and tasks.
        empty: features that are held, and of which no example has a value.
    """
    everywhere = [*_feature_reasons(reads, held, contract), *_empty_reasons(reads, empty)]
    everywhere += [*_behaviour_reasons(reads, contract), *_domain_reasons(reads, contract)]
    tasks = {name: reason for name in contract.tasks if (reason := _task(name, reads, contract))}
    if len(tasks) == len(contract.tasks) and not everywhere:
        everywhere = list(dict.fromkeys(tasks.values()))
    return Incomparable(everywhere, tasks)


def _feature_reasons(
    reads: ModelReads, held: Mapping[str, FeatureForm], contract: DataContract
) -> list[str]:
    absent = [name for name in reads.features if name not in held]
    reasons = []
    if absent:
        shown = ", ".join(_with_new_name(name, reads, contract) for name in absent[:_SHOWN])
        more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        reasons.append(f"reads {shown}{more}, which the examples do not hold")
    for name, wanted in reads.features.items():
        found = held.get(name)
        if found is not None and _differs(wanted, found):
            reasons.append(
                f"reads {name} as {_words(wanted)}, which the examples hold as {_words(found)}"
            )
    return reasons


def _empty_reasons(reads: ModelReads, empty: Collection[str]) -> list[str]:
    """Features that are there by name alone: the model knows values, and would see none."""
    names = [name for name in reads.features if name in empty]
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"reads {shown}{more}, of which no example has a value"]


def _behaviour_reasons(reads: ModelReads, contract: DataContract) -> list[str]:
    """Sequences whose values are of another feature than when the model was trained."""
    own, reasons = reads.contract, []
    if own is None:
        return []
    for name in reads.features:
        was, now = own.features.get(name), contract.features.get(name)
        if not isinstance(was, SequenceFeature) or not isinstance(now, SequenceFeature):
            continue
        if was.item != now.item and own.column(was.item) != contract.column(now.item):
            reasons.append(
                f"reads {name} as values of {was.item}, which the experiment says are of {now.item}"
            )
    return reasons


def _with_new_name(name: str, reads: ModelReads, contract: DataContract) -> str:
    """A feature that is gone, with the one that has its column now."""
    column = name if reads.contract is None else reads.contract.column(name)
    for other in contract.features:
        if contract.column(other) == column and other != name:
            return f"{name} (column {column}, which the experiment calls {other})"
    return name


def _differs(wanted: FeatureForm, found: FeatureForm) -> bool:
    kinds_known = wanted.kind is not None and found.kind is not None
    return wanted.form != found.form or (kinds_known and wanted.kind != found.kind)


def _words(feature: FeatureForm) -> str:
    if feature.kind is None:
        return feature.form
    article = "a label" if feature.kind == "label" else feature.kind
    return f"{feature.form} ({article})"


def _domain_reasons(reads: ModelReads, contract: DataContract) -> list[str]:
    if reads.contract is None or reads.contract.domain is None:
        return []
    own, now = reads.contract.domain, contract.domain
    if now is None or now.feature != own.feature:
        here = f"tells domains by {now.feature}" if now else "has no domains"
        return [f"tells domains by {own.feature}, but the experiment {here}"]
    unknown = [value for value in contract.domains if value not in reads.contract.domains]
    if not unknown:
        return []
    return [
        f"does not know the {'domain' if len(unknown) == 1 else 'domains'} "
        f"{', '.join(unknown[:_SHOWN])} (it knows {', '.join(reads.contract.domains[:_SHOWN])})"
    ]


def _task(name: str, reads: ModelReads, contract: DataContract) -> str | None:
    """Why a task cannot be compared, or None."""
    if name not in reads.outputs:
        return f"does not serve the task {name} (it serves {', '.join(reads.outputs)})"
    own = reads.contract.tasks.get(name) if reads.contract else None
    now = contract.tasks[name]
    if own is not None and own.kind != now.kind:
        return f"was trained for {name} as {own.kind}, the experiment has it as {now.kind}"
    if own is not None and own.label != now.label and isinstance(now.label, Condition):
        return f"was trained for {name} on {own.label_key!r}, the experiment on {now.label_key!r}"
    if own is not None and own.population != now.population:
        rows = [f"the rows of {p}" if p else "all rows" for p in (own.population, now.population)]
        return f"was trained for {name} on {rows[0]}, the experiment defines it on {rows[1]}"
    return None
