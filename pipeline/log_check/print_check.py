"""What a person sees of `mtlx check`."""

import datetime

import numpy as np
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.pipeline.log_check.log_check import LogCheck, shown_files

#: Tasks beside each other, and domains below each other, that fit a page.
_TASKS_BESIDE = 4
_MOST_DOMAINS = 20


def print_check(console: Console, check: LogCheck) -> None:
    """Prints what was read, the tables and the findings."""
    rows, sample = check.rows, check.sample
    console.print(_reading(check), soft_wrap=True)
    if rows.malformed:
        for reason, count in rows.malformed.most_common():
            console.print(f"Malformed, {reason}: {count:,}, such as {rows.examples[reason]}",
                          soft_wrap=True, markup=False)  # fmt: skip
    if rows.filtered:
        console.print(f"Filtered: {rows.filtered:,} rows do not meet data.where")
    if rows.rows:
        console.print(_feature_table(check))
        if check.unnamed:
            names = ", ".join(check.unnamed)
            console.print(Text(f"Columns that the experiment does not name: {names}"))
        for table in (
            *(_split_table(check), *_rate_tables(rows), *_number_tables(rows)),
            *_domain_tables(rows),
        ):
            console.print(table)
    cached = "keeps" if check.experiment.training.cache == "memory" else "reads"
    megabytes = check.memory / 2**20
    about = "" if sample.share >= 1.0 else "about "
    console.print(f"Training {cached} {about}{megabytes:,.0f} MiB of examples (train, validation)")
    for finding in check.findings:
        word, style = ("error", "bold red") if finding.error else ("warning", "bold yellow")
        console.print(Text.assemble((f"{word}: ", style), finding.text), soft_wrap=True)
    errors = sum(finding.error for finding in check.findings)
    warnings = len(check.findings) - errors
    console.print(f"{errors} error(s), {warnings} warning(s)")


def _reading(check: LogCheck) -> Text:
    sample = check.sample
    read = f"{sample.rows_read:,} rows of {shown_files(sample.files)}"
    if sample.share >= 1.0:
        return Text(f"Read all {read}")
    return Text(
        f"Read {read}: {sample.share:.1%} of about {sample.total_rows:,.0f}, evenly spread. "
        "Counts of the whole are extrapolated; --rows 0 reads all"
    )


def _feature_table(check: LogCheck) -> Table:
    table = Table(
        Column("feature", overflow="fold"),
        "kind",
        Column("type", overflow="fold"),
        Column("distinct", justify="right"),
        Column("missing", justify="right"),
        title=f"Features ({check.rows.rows:,} rows)",
        title_justify="left",
    )
    for feature in check.features:
        few = 0.0 < feature.missing < 0.001
        missing = "< 0.1%" if few else f"{feature.missing:.1%}" if feature.missing else "-"
        kind = Text(feature.type)  # Such as timestamp[ms], whose brackets are no markup.
        table.add_row(Text(feature.name), feature.kind, kind, f"{feature.distinct:,}", missing)
    return table


def _split_table(check: LogCheck) -> Table:
    times = check.rows.times.found(check.rows.split)
    table = Table("split", Column("rows", justify="right"), title="Splits", title_justify="left")
    for column in times:
        table.add_column(Text(f"{column}, first"), overflow="fold")
        table.add_column("last", overflow="fold")
    for name in SPLITS:
        count = np.count_nonzero(check.rows.in_split(name)) / max(check.sample.share, 1e-9)
        about = "" if check.sample.share >= 1.0 else "~"
        ends = [_moment(end) for found in times.values() for end in found.get(name, (None, None))]
        table.add_row(name, f"{about}{count:,.0f}", *ends)
    return table


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _rate_tables(rows: CollectedRows) -> list[Table]:
    """Rates of positives, of each task on its population."""
    table = Table(
        Column("task", overflow="fold"),
        Column("rows", justify="right"),
        Column("positives", justify="right"),
        *(Column(name, justify="right") for name in ("rate", *SPLITS)),
        title="Labels (rate of positives in the sample)",
        title_justify="left",
    )
    tasks = [task for task in rows.contract.tasks if task not in rows.contract.regressions]
    for task in tasks:
        population, label = rows.population(task), rows.label(task)
        rates = [_rate(label, population & rows.in_split(name)) for name in SPLITS]
        positives = np.count_nonzero(label & population)
        late = rows.contract.matures_after[task]
        table.add_row(
            Text(f"{task}, known {late} span{'s' if late > 1 else ''} later" if late else task),
            f"{np.count_nonzero(population):,}",
            f"{positives:,}",
            _rate(label, population),
            *rates,
        )
    return [table] if tasks else []


def _number_tables(rows: CollectedRows) -> list[Table]:
    """Weights, and labels that are numbers: their range, and how many are 0."""
    table = Table(
        Column("number", overflow="fold"),
        *(Column(name, justify="right") for name in ("least", "mean", "most", "zero")),
        title="Weights and labels that are numbers",
        title_justify="left",
    )
    contract, found = rows.contract, []
    for name, weight in contract.weight_columns.items():
        found.append((f"{weight.column} (weight)", rows.numbers.get(name), slice(None)))
    for task in sorted(contract.regressions):
        key = contract.tasks[task].label_key
        found.append((f"{key} (label)", rows.numbers.get(key), rows.population(task)))
    for name, values, chosen in found:
        if values is None or not values[chosen].size:
            continue
        own = values[chosen]
        cells = [f"{number:.4g}" for number in (own.min(), own.mean(), own.max())]
        table.add_row(Text(name), *cells, f"{np.mean(own == 0):.1%}")
    return [table] if table.row_count else []


def _domain_tables(rows: CollectedRows) -> list[Table]:
    """Rates by domain, a few tasks beside each other."""
    domain = rows.contract.domain
    if domain is None:
        return []
    encoded = rows.features[domain.feature].dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy()
    names = encoded.dictionary.to_pylist()
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    largest = np.argsort(-counts, kind="stable")[:_MOST_DOMAINS]
    tasks, tables = [t for t in rows.contract.tasks if t not in rows.contract.regressions], []
    for start in range(0, len(tasks), _TASKS_BESIDE):
        beside = tasks[start : start + _TASKS_BESIDE]
        table = Table(
            Column("domain", overflow="fold"),
            Column("rows", justify="right"),
            *(Column(Text(task), justify="right", overflow="fold") for task in beside),
            title="Rates by domain",
            title_justify="left",
        )
        for code in largest:
            rates = [
                _rate(rows.label(task), rows.population(task) & (codes == code)) for task in beside
            ]
            table.add_row(Text(names[code]), f"{counts[code]:,}", *rates)
        if len(names) > _MOST_DOMAINS:
            table.add_row(f"and {len(names) - _MOST_DOMAINS:,} more", "")
        tables.append(table)
    return tables


def _rate(label: np.ndarray, chosen: np.ndarray) -> str:
    count = np.count_nonzero(chosen)
    return f"{100 * np.count_nonzero(label & chosen) / count:.3g}%" if count else "-"
