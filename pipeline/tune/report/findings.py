"""What a search found, in sentences: how good the best is, and how much of that may be chance."""

import shlex
from collections.abc import Mapping, Sequence

from mtlx.components.report.formatting import fixed
from mtlx.pipeline.tune.space import as_override
from mtlx.pipeline.tune.tuning_record import SeedCheck, TuningRecord

#: Of values.
DIGITS = 5


def findings(record: TuningRecord) -> list[str]:
    """Sentences without their points, the most important first."""
    return [*_of_best(record), *_of_seeds(record), _of_counts(record)]


def compare_command(
    record: TuningRecord, path: str, given: Sequence[str] = (), data_root: str | None = None
) -> str | None:
    """What judges the best settings on the test split; None where they are the file's own.

    Args:
        record: of the search.
        path: of the experiment file, as the next two were given to the search.
        given: ``--set`` of the command line.
        data_root: folder for relative data paths.
    """
    best = record.best
    if best is None or best.own:
        return None
    settings = ":".join(as_override(name, best.settings[name]) for name in sorted(best.settings))
    words = ["mtlx", "compare", path, *(["--data", data_root] if data_root else [])]
    words += [word for override in given for word in ("--set", override)]
    words += ["--models", f"file,best=file:{settings}", "--seeds", "5"]
    return " ".join(shlex.quote(word) for word in words)


def _of_best(record: TuningRecord) -> list[str]:
    best, own = record.best, record.own
    if best is None:
        return ["No trial came to its end"]
    reached = f"{record.objective} {fixed(best.value, DIGITS)} on the validation split"
    if best.own:
        return [f"Nothing that was tried reached more than the file's own settings: {reached}"]
    text = f"Trial {best.number} is the best: {reached}"
    if own is None:
        return [f"{text}; the file's own settings lie outside of the search space"]
    if own.value is not None:
        return [f"{text}; the file's own settings reached {fixed(own.value, DIGITS)}"]
    return [f"{text}; the file's own settings failed"]


def _of_seeds(record: TuningRecord) -> list[str]:
    best, own = record.best_by_seed, record.own_by_seed
    if record.best is None:
        return []
    count = len(record.of_state("complete"))
    chance = f"The best of {count} trials is the best in part by chance"
    if best is None:
        why = f" ({record.not_by_seed})" if record.not_by_seed else ""
        return [f"{chance}; how large a part was not measured{why}"]
    told = f"from {len(best.by_seed)} further seeds, which had no part in the choice, "
    if best.mean is None:
        return [f"{chance}; it gave nothing from further seeds: {best.failed}"]
    whose = "the file's own settings" if record.best.own else "the best settings"
    told += f"{whose} reach {fixed(best.mean, DIGITS)} in the mean ({seed_range(best)})"
    if own is not None and own.mean is not None:
        told += f" and the file's own {fixed(own.mean, DIGITS)} ({seed_range(own)})"
        told += f": {_verdict(best.by_seed, own.by_seed, record.lower_is_better)}"
    failed = "; ".join(one.failed for one in (best, own) if one is not None and one.failed)
    text = told[0].upper() + told[1:] if record.best.own else f"{chance}: {told}"
    return [f"{text}. Some seeds gave nothing: {failed}" if failed else text]


def seed_range(check: SeedCheck) -> str:
    """The lowest and the highest seed."""
    values = check.by_seed.values()
    return f"{fixed(min(values), DIGITS)} to {fixed(max(values), DIGITS)}"


def _verdict(best: Mapping[int, float], own: Mapping[int, float], lower_is_better: bool) -> str:
    sign = -1 if lower_is_better else 1
    better, other = [sign * one for one in best.values()], [sign * one for one in own.values()]
    if min(better) > max(other):
        return "better from every seed than the file's own from any"
    if max(better) < min(other):
        return "worse from every seed than the file's own from any, so that chance chose them"
    return "the ranges overlap, so that it may all be chance"


def _of_counts(record: TuningRecord) -> str:
    complete, pruned = len(record.of_state("complete")), len(record.of_state("pruned"))
    failed = len(record.of_state("failed"))
    text = f"Of {len(record.trials)} trials {complete} came to their end, {pruned} "
    text += f"{'was' if pruned == 1 else 'were'} stopped early and {failed} failed"
    if record.ended:
        text += f"; {record.planned} were asked for, but {record.ended}"
    return text
