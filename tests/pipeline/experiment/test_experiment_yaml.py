"""Experiment files that are broken, hostile or odd: one line each, with file and line."""

import datetime
import os
import random
import re

import pytest

from mtlx.pipeline.experiment import experiment_yaml
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.experiment.experiment_yaml import YamlError, parse_yaml, read_text

VALID = """\
name: small
data:
  reader: csv
  path: [logs/*.csv]
  split: {by: time, column: day, test_from: 2024-01-08, validation_share: 0.1}
features:
  item: {kind: categorical, vocabulary: {top_k: 100}}
  price: {kind: numeric, transform: zscore}
  seen: {kind: sequence, of: item}
target_item: item
domain: {feature: item, values: [a, "b"]}
tasks:
  click: {label: click}
  buy: {label: bought, after: click, population: click}
model: {network: mmoe, options: {experts: 3}}
training: {learning_rate: 0.001, epochs: 2}
evaluation: {slices: [[domain], [item]], user_key: item}
gate:
  thresholds:
    - {rule: auc, task: "*", slice: "domain=*", minimum: 0.5}
"""

BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join(['*' + chr(ord(name) - 1)] * 10)}]\n" for name in "bcdefghi"
    )
).encode()

BROKEN = {
    "syntax": (b"name: [x\ndata: 3\n", r":2: no valid YAML: .*expected ',' or '\]'"),
    "tab": (b"name: x\n\tdata: 3\n", r":2: no valid YAML: .*'\\t'"),
    "control character": (b"name: x\ndata: \x07\n", ":2: no valid YAML: "),
    "an alias of itself": (b"name: x\ndata: &a\n  b: *a\n", ":2: is an alias of what it stands in"),
    "no such alias": (b"name: *x\n", ":1: no valid YAML: found undefined alias"),
    "alias bomb": (BOMB, r":\d: stands for more than 100,000 values"),
    "deep": (b"name: " + b"[" * 5000 + b"]" * 5000, ":1: is nested more than 50 levels deep"),
    "deep mappings": (b"name: " + b"{a: " * 500, ":1: is nested more than 50 levels deep"),
    "key of a number": (b"name: x\n1: 2\n", ":2: the file: a key should be text, but 1 is a int"),
    "key of a truth": (b"tasks:\n  on: {}\n", ":2: tasks: a key should be text, but on is a bool"),
    "key of a list": (b"? [a]\n: 2\n", ":1: the file: a key should be text, not a list"),
    "key twice": (b"name: x\nname: y\n", ":2: name: stands twice"),
    "not UTF-8": (b"name: x\ndata: caf\xe9\n", ":2: byte 0xe9 is not UTF-8"),
    "UTF-16": ("name: x\n".encode("utf-16"), ":1: byte 0xff is not UTF-8"),
    "no such day": (b"name: x\ndata: 2024-02-31\n", ":2: '2024-02-31' looks like a timestamp"),
    "number of digits": (b"name: " + b"9" * 5000, ":1: '9999.*looks like a int, but is none"),
    "tag": (b"name: !!python/object/apply:os.system [ls]\n", ":1: name: tag !!python.* is not taken"),
    "binary": (b"name: !!binary aGk=\n", ":1: name: tag !!binary is not taken"),
    "no number": (b"name: x\ntraining: {learning_rate: .nan}\n", ":2: .nan is no finite number"),
    "infinity": (b"training:\n  clip_norm: -.inf\n", ":2: -.inf is no finite number"),
    "above all": (b"training:\n  clip_norm: 1.0e+999\n", ":2: 1.0e.999 is no finite number"),
    "empty": (b"", ": is empty; an experiment file has sections: features, "),
    "comments only": (b"# nothing\n", ": is empty"),
    "list at the top": (b"- a\n- b\n", ":1: an experiment file is a mapping of sections"),
    "text at the top": (b"hello\n", ":1: an experiment file is a mapping of sections"),
    "two documents": (b"name: x\n---\nname: y\n", ":2: no valid YAML: expected a single document"),
    "a log": (b"a,b,c\n" * 300_000, ": is too large for an experiment file: 1,800,000 bytes"),
}  # fmt: skip


@pytest.fixture
def slowly(monkeypatch):
    """What a text gives by PyYAML's own parser, which is taken where the C library's is not there."""

    def function(text):
        with monkeypatch.context() as patch:
            patch.setattr(experiment_yaml, "_QUICK", [])
            return _given(text)

    return function


def _given(text):
    try:
        return parse_yaml(text)
    except YamlError as error:
        return error.problems


def _refusal(path, *arguments, **keywords):
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path, *arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_yaml_is_one_line_with_file_and_line(tmp_path, kind):
    data, message = BROKEN[kind]
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    text = _refusal(path)
    assert text.startswith(f"{path}:")
    assert "\n" not in text
    assert re.search(message, text.removeprefix(str(path))), text


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder" in _refusal(tmp_path)
    assert "is a device or pipe" in _refusal(tmp_path / "pipe")
    assert "is a device or pipe" in _refusal("/dev/zero")
    assert "No such file" in _refusal(tmp_path / "none.yaml")
    assert "Give the path of an experiment file" in _refusal(tmp_path / "a\0b")


def test_anchors_merges_and_a_byte_order_mark_are_taken(tmp_path):
    path = tmp_path / "x.yaml"
    text = VALID.replace("price: {kind: numeric", "price: &p {kind: numeric")
    text = text.replace("  seen:", "  cost: {<<: *p, transform: log}\n  seen:")
    path.write_text("\ufeff" + text, encoding="utf-8")
    experiment = read_experiment(path)
    assert experiment.features["cost"].transform == "log"
    assert experiment.data.split.test_from == "2024-01-08"


WRONG_OVERRIDES = {
    "training.epochs": "expected section.key=value",
    "=1": "expected section.key=value",
    "training..epochs=1": "expected section.key=value",
    ".epochs=1": "expected section.key=value",
    "trainng.epochs=1": "unknown section 'trainng', did you mean 'training'",
    "training.epoch=1": "training: unknown setting 'epoch', did you mean 'epochs'",
    "training.epochs=[1": "the value '\\[1' is wrong: no valid YAML",
    "training.epochs=&a [*a]": "is an alias of what it stands in",
    "training.epochs=.inf": "no finite number",
    "training.epochs=2024-02-31": "looks like a timestamp",
    "training.epochs=a": "training.epochs: Input should be a valid integer",
    "name.x=1": "'name' has no settings below it",
    "gate.thresholds.1.minimum=1": "gate.thresholds is a list of 1: .*Received: '1'",
    "gate.thresholds.x.minimum=1": "gate.thresholds is a list of 1: .*Received: 'x'",
    "gate.thresholds.0.task=x": "gate.thresholds: no task matches 'x'",
    "gate.thresholds.0.rule=x": "unknown gate rule 'x'",
    "features.domain_id={kind: numeric}": "features.domain_id: the name is taken",
}


@pytest.mark.parametrize("override", WRONG_OVERRIDES)
def test_a_wrong_override_is_one_line_that_names_it(tmp_path, override):
    path = tmp_path / "x.yaml"
    path.write_text(VALID, encoding="utf-8")
    text = _refusal(path, ["training.patience=1", override])
    assert text.startswith(f"--set {override}: "), text
    assert "\n" not in text
    assert re.search(WRONG_OVERRIDES[override], text), text


def test_overrides_reach_into_lists_and_new_sections(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(VALID, encoding="utf-8")
    given = ["gate.thresholds.0.minimum=0.7", "evaluation.slices.1.0=domain", "run.cache=false"]
    experiment = read_experiment(path, given)
    assert experiment.gate.thresholds[0].options["minimum"] == 0.7
    assert experiment.evaluation.slices == [["domain"], ["domain"]]
    assert experiment.run.cache is False


def test_a_fault_of_the_file_is_not_laid_to_an_override(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(VALID.replace("epochs: 2", "epochs: two"), encoding="utf-8")
    assert _refusal(path, ["training.patience=1"]).startswith(f"{path}:16: training.epochs: ")


def test_fuzzed_files_are_read_or_refused(tmp_path):
    """Any other error than `ExperimentFileError` fails here; so does a hang, by the suite's end."""
    drawn, path, outcomes = random.Random(10), tmp_path / "x.yaml", set()
    pieces = [b"&a ", b"*a", b"!!set ", b"!!float ", b"? ", b"- ", b"[", b"}", b": ", b'"', b"'",
              b"\n", b"\t", b"|", b">", b"#", b"---\n", b"%", b"\xff", b"\x00", b"\xe2\x80\xa8",
              b".nan", b"1e999", b"0x", b"2024-13-45", b"null", b"<<: ", b"=", b"9" * 99]  # fmt: skip
    for _ in range(400):
        data = bytearray(VALID.encode())
        for _ in range(drawn.randint(1, 4)):
            start = drawn.randrange(len(data))
            end = start + drawn.choice([0, 0, 1, 3, 30])
            piece = drawn.choice(pieces)
            if drawn.random() < 0.3:
                other = drawn.randrange(len(data))
                piece = bytes(data[other : other + drawn.randint(1, 40)])
            data[start:end] = piece
        path.write_bytes(bytes(data))
        try:
            read_experiment(path)
            outcomes.add("read")
        except ExperimentFileError as error:
            assert str(path) in str(error), bytes(data)
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_both_parsers_give_the_same(slowly):
    """The C library's and PyYAML's own: values, lines, and what is wrong in the same words."""
    assert experiment_yaml._QUICK
    drawn, refused, short = random.Random(12), 0, VALID[:300]
    pieces = ["&a ", "*a", "? ", "?", "- ", "{a:b}", "}", ": ", '"', "\n", "\t", "|", ">", "#", "---\n",
              "%", "\x00", "\x85", "\u2028", "\ufeff", "\ud800", "<<: ", "=", "~", "@", "\r"]  # fmt: skip
    for _ in range(150):
        start = drawn.randrange(len(short))
        end = start + drawn.choice([0, 0, 1, 3, 30])
        text = short[:start] + drawn.choice(pieces) + short[end:]
        given = _given(text)
        assert given == slowly(text), text
        refused += isinstance(given, list)
    assert 20 < refused < 130
    for data, _ in BROKEN.values():
        text = data[:1_000].decode("latin-1")
        assert _given(text) == slowly(text)


def test_fuzzed_overrides_are_taken_or_refused(tmp_path):
    drawn, path = random.Random(11), tmp_path / "x.yaml"
    path.write_text(VALID, encoding="utf-8")
    keys = ["training.epochs", "features", "features.item", "tasks.click.label", "data.path", "gate",
            "data", "model.options.experts", "gate.thresholds.0", "domain.values.0", "domain",
            "kubeflow.settings", "data.split", "evaluation.slices", "name", "model.preset"]  # fmt: skip
    values = ["", "null", "[]", "{}", "[{}]", "{a: {b: [c]}}", "1", "-1", "1.5", "true", '""', "x",
              "[1, [2]]", "2024-01-01", "{? 1 : 2}", "*", "&a", "!!x y", "[[domain, domain]]",
              "{rule: auc}", "[null]", "\x01", "\ud800"]  # fmt: skip
    for _ in range(200):
        overrides = [f"{drawn.choice(keys)}={drawn.choice(values)}" for _ in range(2)]
        try:
            read_experiment(path, overrides)
        except ExperimentFileError as error:
            assert "--set" in str(error) or str(path) in str(error), overrides


def test_values_are_plain_and_every_key_and_entry_has_its_line():
    text = (
        "# a comment\n"
        "name: größe\n"
        "data:\n"
        "  path: [a.csv,\n"
        "         b.csv]\n"
        "  from: 2024-02-29\n"
        "tasks:\n"
        "- {label: x, weight: 1.5}\n"
        "- null\n"
        '"a.b": true\n'
    )
    parsed = parse_yaml(text)
    assert parsed.values == {
        "name": "größe",
        "data": {"path": ["a.csv", "b.csv"], "from": datetime.date(2024, 2, 29)},
        "tasks": [{"label": "x", "weight": 1.5}, None],
        "a.b": True,
    }
    assert parsed.lines == {
        ("name",): 2,
        ("data",): 3,
        ("data", "path"): 4,
        ("data", "path", "0"): 4,
        ("data", "path", "1"): 5,
        ("data", "from"): 6,
        ("tasks",): 7,
        ("tasks", "0"): 8,
        ("tasks", "0", "label"): 8,
        ("tasks", "0", "weight"): 8,
        ("tasks", "1"): 9,
        ("a.b",): 10,
    }


def test_no_text_has_no_values():
    for text in ("", "# nothing\n", "\n\n", "---\n"):
        assert parse_yaml(text).values is None


def test_every_problem_of_a_text_is_named_with_its_line():
    text = "a: 1\nb:\n  1: x\n  c: !mine y\na: 2\nd: [{on: 1}]\n"
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert [line for line, _ in caught.value.problems] == [3, 4, 5, 6]
    for (_, problem), words in zip(
        caught.value.problems,
        (
            "b: a key should be text, but 1 is a int: write '1' in quotes",
            "b.c: tag !mine is not taken",
            "a: stands twice",
            "d.0: a key should be text, but on is a bool",
        ),
        strict=True,
    ):
        assert problem.startswith(words)
    assert str(caught.value) == "; ".join(problem for _, problem in caught.value.problems)


def test_limits_are_reached_exactly(monkeypatch):
    """Fifty levels and so many values are taken, one more is not."""
    deepest = "[" * 50 + "]" * 50
    assert parse_yaml(deepest).values is not None
    with pytest.raises(YamlError, match="more than 50 levels"):
        parse_yaml(f"[{deepest}]")
    monkeypatch.setattr(experiment_yaml, "_MOST_VALUES", 10)
    nine = f"[{', '.join('x' * 9)}]"
    assert len(parse_yaml(nine).values) == 9
    with pytest.raises(YamlError, match="stands for more than 10 values"):
        parse_yaml(f"[{', '.join('x' * 10)}]")
    # An alias counts as what it stands for: a list of 5 values twice is more than 10.
    with pytest.raises(YamlError, match="stands for more than 10 values"):
        parse_yaml("a: &a [1, 2, 3, 4]\nb: *a\n")


def test_siblings_are_not_levels():
    assert len(parse_yaml("\n".join(["- [[[x]]]"] * 200)).values) == 200


def test_what_an_alias_stands_for_has_lines_below_both_keys():
    lines = parse_yaml("a: &a\n  x: 1\nb: *a\n").lines
    assert (lines["a",], lines["b",]) == (1, 3)
    assert lines["a", "x"] == lines["b", "x"] == 2


def test_the_largest_file_that_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment_yaml, "_MOST_BYTES", 10)
    path = tmp_path / "x.yaml"
    path.write_text("ä" * 5, encoding="utf-8")
    assert read_text(path) == "ä" * 5
    path.write_text("ä" * 5 + "x", encoding="utf-8")
    with pytest.raises(YamlError, match="is too large for an experiment file: 11 bytes"):
        read_text(path)
    path.write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(YamlError) as caught:
        read_text(path)
    assert caught.value.problems == [(3, "byte 0xff is not UTF-8: save the file as UTF-8")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1e-3", "1e-3"), ("1.0e-3", 0.001), ("0x1f", 31), ("1_000", 1000), ("yes", True),
     ("~", None), ("'1'", "1"), ("12:30", 750)],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_1(value, expected):
    """As PyYAML reads them; settings refuse the text ``1e-3`` where a number is meant, or take it."""
    assert parse_yaml(f"a: {value}").values == {"a": expected}
