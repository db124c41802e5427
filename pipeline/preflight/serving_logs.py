"""Whether the logs of what was served can be read, and have the columns that `skew` names."""

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import is_remote
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import span_number
from mtlx.components.log_example_gen.spans.span_files import span_files
from mtlx.components.skew_guard.serving_logs import (
    lacking_columns,
    needed_columns,
    serving_logs,
    serving_patterns,
    serving_reader,
)
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.log_sample.input_files import window_of
from mtlx.pipeline.log_sample.text_blocks import text_form
from mtlx.pipeline.preflight.log_files import evenly, kind_problems
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError


def serving_log_problems(experiment: Experiment, must_exist: bool) -> list[str]:
    """What is wrong with the serving logs that a run would look at.

    Args:
        experiment: its paths are absolute.
        must_exist: what is not there is wrong where a run asks for it; else it is not seen from
            here.

    Returns:
        One sentence per problem, beginning with the key.
    """
    data, skew = experiment.data, experiment.skew
    if data.serving_path is None:
        return []
    if skew.reader is not None:
        if skew.reader not in READERS:
            return [f"skew.reader: unknown reader {skew.reader!r}, {suggest(skew.reader, READERS)}"]
        try:
            READERS.validate(skew.reader, skew.options)
        except SettingsError as error:
            return [f"skew.options: {text}" for _, text in error.problems]
    if any(map(is_remote, [*data.serving_path, *data.path])):
        return []
    try:
        logs = serving_logs(serving_patterns(data, skew), _spans(experiment))
        if not logs.files:
            refused = must_exist and skew.missing_logs == "refuse"
            return [f"data.serving_path: {logs.note}"] if refused else []
        reader = serving_reader(data, skew)
        form = text_form(reader, data.options if skew.reader is None else skew.options)
        if problems := kind_problems(reader, evenly(list(logs.files)), form):
            own = [text.replace("data.reader", "skew.reader") for text in problems]
            return [f"data.serving_path: {text}" for text in own]
        shards = reader.shards(list(logs.files))
        needed = needed_columns(experiment.contract, skew)
        asked_for = experiment.contract.served
        wanted = [asked_for.column(name) for name in asked_for.features]
        lacking_columns(reader, shards, needed, wanted)
    except InputRefused as error:
        return [f"data.serving_path: {error}"]
    return []


def _spans(experiment: Experiment) -> list[int]:
    """Spans that a run would read; none where its logs have none."""
    plan = window_of(experiment)
    if plan is not None:
        return list(plan.spans)
    data = experiment.data
    if data.span is not None:
        return [span_number(data.span)]
    reader = READERS.build(data.reader, data.options)
    patterns = [pattern for path in data.path for pattern in reader.patterns(path)]
    return [max(found) for pattern in patterns if (found := span_files(pattern))]
