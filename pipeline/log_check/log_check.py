"""Reads a sample of an experiment's logs and judges it."""

import csv
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.parquet import Parquet
from mtlx.components.log_example_gen.readers.reader import Reader
from mtlx.components.log_example_gen.settings import TimeSplit
from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.log_check.collected_rows import CollectedRows, collect
from mtlx.pipeline.log_check.finding import Finding
from mtlx.pipeline.log_check.findings.feature_profile import FeatureProfile, profile_features
from mtlx.pipeline.log_check.findings.gate_counts import too_few
from mtlx.pipeline.log_check.findings.label_functions import find_label_functions
from mtlx.pipeline.log_check.findings.leaks import Leak, find_leaks
from mtlx.pipeline.log_check.findings.zero_inflation import ZeroInflation, find_zero_inflation
from mtlx.pipeline.log_check.memory_estimate import available_bytes, bytes_per_row
from mtlx.pipeline.log_check.time_ranges import may_be_time
from mtlx.pipeline.log_sample.input_files import input_files
from mtlx.pipeline.log_sample.log_sample import LogSample
from mtlx.pipeline.log_sample.text_blocks import TextBlocks, TextForm, text_form

#: Files whose columns are looked at, and undecidable slices that are named.
_MOST_FILES = 20
_MOST_SLICES = 10
#: Share of the free memory that the examples may take.
_MOST_MEMORY = 0.5


@dataclass(frozen=True)
class LogCheck:
    """What the logs hold.

    Attributes:
        experiment: that was checked.
        sample: what was read, and what share that is.
        rows: what passed.
        features: a profile each.
        unnamed: columns of the logs that the experiment does not name.
        memory: bytes of the examples that the trainer keeps.
        findings: errors first.
    """

    experiment: Experiment
    sample: LogSample
    rows: CollectedRows
    features: list[FeatureProfile]
    unnamed: list[str]
    memory: float
    findings: list[Finding]


def check_logs(experiment: Experiment, wanted: int | None) -> LogCheck:
    """Reads and judges the logs.

    Args:
        experiment: with files that `mtlx.pipeline.preflight.preflight` has found.
        wanted: rows to read, evenly; None for all.

    Raises:
        InputRefused: there are no files.
    """
    data = experiment.data
    reader = READERS.build(data.reader, data.options)
    files = input_files(experiment, reader)
    form = text_form(reader, data.options)
    sample = LogSample(reader, files, form, wanted)
    columns = _columns(reader, files, form)
    joined = {column for join in data.join for column in join.columns}
    times = [data.split.column] if isinstance(data.split, TimeSplit) else []
    times = [column for column in times if column not in joined]
    times += [column for column in columns if may_be_time(column)]
    rows = collect(experiment, sample, times)
    features = profile_features(rows)
    trained = sum(np.count_nonzero(rows.in_split(name)) for name in ("train", "validation"))
    memory = trained / max(sample.share, 1e-9) * bytes_per_row(rows.contract)
    findings = [
        *_input_findings(experiment, rows, sample),
        *_feature_findings(features, sample),
        *(_label_findings(experiment, rows, sample) if rows.rows else ()),
        *_memory_findings(experiment, memory),
        *_error_rate_findings(experiment),
    ]
    contract = rows.contract
    named = {contract.column(name) for name in contract.features}
    named |= {task.label_column for task in contract.tasks.values()}
    named |= {weight.column for weight in contract.weight_columns.values()}
    named |= {condition.column for condition in experiment.data.where}
    unnamed = [column for column in columns if column not in named]
    findings.sort(key=lambda finding: not finding.error)
    return LogCheck(experiment, sample, rows, features, unnamed, memory, findings)


def _columns(reader: Reader, files: list[str], form: TextForm | None) -> list[str]:
    """Columns that all files have, as far as they are looked at; none of data sets."""
    step = max(1, len(files) // _MOST_FILES)
    found: list[list[str]] = []
    for file in files[::step]:
        try:
            if form is not None and form.has_header:
                with TextBlocks(reader, file, form) as blocks:
                    header = blocks.read(0, 1).data.split(b"\n", 1)[0]
                text = header.decode("utf-8-sig", "replace").rstrip("\r")
                found.append(next(csv.reader([text], delimiter=form.delimiter), []))
            elif isinstance(reader, Parquet):
                found.append(pyarrow.parquet.read_schema(file).names)
        except (pa.ArrowInvalid, OSError, EOFError, zlib.error):
            continue  # Reading the rows says what is wrong with this file.
    return [name for name in found[0] if all(name in names for names in found)] if found else []


def _input_findings(
    experiment: Experiment, rows: CollectedRows, sample: LogSample
) -> Iterator[Finding]:
    """What stops LogExampleGen."""
    for text in rows.refused:
        yield Finding(True, text)
    malformed, limit = rows.malformed.total(), experiment.data.max_malformed_share
    share = malformed / max(malformed + rows.rows, 1)
    if share > limit:
        yield Finding(
            True,
            f"{malformed:,} of {malformed + rows.rows:,} rows are malformed ({share:.2%}, the "
            f"limit is {limit:.2%}): mend the logs, or raise data.max_malformed_share",
        )
    elif malformed:
        yield Finding(
            False, f"{malformed:,} rows are malformed ({share:.3%}); a run leaves them out"
        )
    if not rows.rows:
        yield Finding(True, "no row passed")
        return
    for name in SPLITS:
        if not rows.in_split(name).any():
            sampled = "" if sample.share >= 1.0 else " in the sample"
            text = f"split {name} has no row{sampled}: change data.split"
            yield Finding(sample.share >= 1.0, text)


def _feature_findings(features: list[FeatureProfile], sample: LogSample) -> Iterator[Finding]:
    for feature in features:
        if feature.only == "no value" and feature.distinct == 0:
            yield Finding(
                sample.share >= 1.0 and sample.rows_read > 0,
                f"feature {feature.name} has no value in any row: take it out of 'features', or "
                "correct its column",
            )
        elif feature.only is not None:
            yield Finding(
                False, f"feature {feature.name} is constant: every row has {feature.only!r}"
            )
        if feature.like_an_id:
            yield Finding(
                False,
                f"feature {feature.name} has {feature.distinct:,} different values: nearly every "
                "row has one of its own, which tells nothing of new rows; take it out, or set "
                "embed: false",
            )


def _weight_findings(rows: CollectedRows) -> Iterator[Finding]:
    """Weights of which nothing is left, or of which few rows make up most."""
    for name, weight in rows.contract.weight_columns.items():
        values = np.sort(rows.numbers.get(name, np.zeros(0)))[::-1]
        if not values.size:
            continue
        if not values[0] > 0:
            yield Finding(True, f"column {weight.column} (weight): every row counts for 0")
        elif values[: max(len(values) // 100, 1)].sum() > values.sum() / 2 and len(values) >= 100:
            yield Finding(
                False,
                f"column {weight.column} (weight): a hundredth of the rows makes up "
                f"{values[: len(values) // 100].sum() / values.sum():.0%} of all weight, so that "
                "losses and metrics hang on few rows; set clip",
            )


def _label_findings(
    experiment: Experiment, rows: CollectedRows, sample: LogSample
) -> Iterator[Finding]:
    for name in ("train", "validation"):
        for task in rows.contract.tasks:
            chosen = rows.population(task) & rows.in_split(name)
            if task in rows.contract.regressions:
                numbers = rows.numbers[rows.contract.tasks[task].label_key][chosen]
                if numbers.size and numbers.min() == numbers.max():
                    yield Finding(
                        False, f"task {task} is {numbers[0]:g} in every row of split {name}"
                    )
                continue
            positives = np.count_nonzero(rows.label(task) & chosen)
            if chosen.any() and positives in (0, np.count_nonzero(chosen)):
                which = "no positive" if positives == 0 else "no negative"
                text = (
                    f"task {task} has {which} in split {name} ({np.count_nonzero(chosen):,} rows)"
                )
                yield Finding(False, text)
    yield from _weight_findings(rows)
    leaks = find_leaks(rows, experiment.evaluation.user_key)
    named = {leak.feature for leak in leaks}
    for leak in leaks:
        yield Finding(False, _leak_text(leak))
    for name in find_label_functions(rows):
        if name not in named:
            yield Finding(False, _function_text(name, list(rows.contract.tasks)))
            named.add(name)
    for inflated in find_zero_inflation(rows):
        if inflated.feature not in named:
            yield Finding(False, _inflation_text(inflated))
    if experiment.components.evaluation == "slice":
        yield from _gate_findings(experiment, rows, sample)
    for domain in _empty_domains(rows):
        yield Finding(False, f"domain {domain} has no row: correct domain.values, or take it out")


def _inflation_text(found: ZeroInflation) -> str:
    return (
        f"feature {found.feature} is {found.value:g} in {found.share:.1%} of the rows that have "
        f"it, with {found.others:,} other values, which its transform leaves too close together; "
        f"set in features.{found.feature}: transform: [log, quantile_buckets], buckets: "
        f"{found.buckets}, buckets_of: distinct"
    )


def _leak_text(leak: Leak) -> str:
    return (
        f"feature {leak.feature} tells {leak.task} almost by itself: AUC {leak.auc:.4f} by "
        f"{leak.how} alone ({leak.positives:,} positives). Is it known before the event? If it is "
        "written afterwards, take it out of 'features'"
    )


def _function_text(feature: str, tasks: list[str]) -> str:
    return (
        f"feature {feature} is computed from the labels: rows with the same labels of "
        f"{', '.join(tasks)} all have the same value of it. Take it out of 'features'"
    )


def _gate_findings(
    experiment: Experiment, rows: CollectedRows, sample: LogSample
) -> Iterator[Finding]:
    least, found = experiment.gate.minimum_positives, too_few(rows, experiment, sample.share)
    about = "" if sample.share >= 1.0 else "about "
    for few in found[:_MOST_SLICES]:
        rare = few.positives <= few.negatives
        count, kind = (few.positives, "positives") if rare else (few.negatives, "negatives")
        yield Finding(
            False,
            f"the gate will not decide {few.task} in {few.slice}, and so block: {about}"
            f"{count:,.0f} {kind} in split {experiment.evaluation.split}, at least {least} are "
            "needed (gate.minimum_positives)",
        )
    if len(found) > _MOST_SLICES:
        yield Finding(False, f"the same of {len(found) - _MOST_SLICES:,} more tasks and slices")


def _empty_domains(rows: CollectedRows) -> list[str]:
    domain = rows.contract.domain
    if domain is None:
        return []
    seen = set(rows.features[domain.feature].unique().to_pylist())
    return [value for value in rows.contract.domains if value not in seen]


def _memory_findings(experiment: Experiment, memory: float) -> Iterator[Finding]:
    available = available_bytes()
    if experiment.training.cache != "memory" or available is None:
        return
    if memory > _MOST_MEMORY * available:
        yield Finding(
            False,
            f"training keeps about {memory / 2**30:.1f} GiB of examples in memory, and "
            f"{available / 2**30:.1f} GiB are free: set training.cache: none",
        )


def _error_rate_findings(experiment: Experiment) -> Iterator[Finding]:
    if experiment.gate.error_rate_is_idle:
        yield Finding(
            False,
            "gate.error_rate holds for no threshold: it is for those with bound: upper and no "
            "level of their own. Leave it out, or add one",
        )


def shown_files(files: list[str]) -> str:
    """Where files lie, in a few words."""
    folder = os.path.commonpath([os.path.dirname(file) for file in files])
    return f"{len(files):,} file{'s' if len(files) > 1 else ''} in {folder}"
