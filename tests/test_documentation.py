"""README and docs: short, whole, and every command of them one that can be typed.

What is quick is run; of the rest the real parsers, files and make targets are asked. `NEEDS` says
what keeps the others from being run here.
"""

import argparse
import importlib
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from mtlx.kubeflow.command_line import main
from mtlx.kubeflow.commands import COMMANDS as OF_THE_CLUSTER
from mtlx.pipeline.command_line import COMMANDS, make_parser
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from tests.documented_commands import Command, commands
from tests.test_floors import FLOORS, ROOMS

ROOT = Path(__file__).parents[1]
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in BESIDE), *sorted((ROOT / "docs").glob("*.md"))]
#: What docstrings say is no page of commands.
OF_COMMANDS = [page for page in PAGES if page.name != "models.md"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PARSER = make_parser((*COMMANDS, *OF_THE_CLUSTER))

#: Programs of commands that are not run, nor asked for more than their files: what they need.
NEEDS = {
    "docker": "a container engine",
    "kubectl": "a cluster",
    "curl": "a server",
    "cd": "what is made by the line before it",
    "cp": "nothing; what it copies must be there",
    "pip": "an index of packages",
    "python3.13": "that interpreter",
    "uv": "pip or uv",
}
PROGRAMS = {"mtlx", "make", "python", *NEEDS}
#: What stands for an experiment of the reader's.
FILES = {"FILE", "experiment.yaml"}
#: What stands for a name or a folder of the reader's.
PLACEHOLDERS = {"NAME", "COMMAND", "DIR"}


def text_of(page):
    return page.read_text(encoding="utf-8")


def check(command):
    """Raises AssertionError where a command can't be typed as it stands."""
    program = command.words[0]
    if program == "mtlx":
        check_mtlx(command)
    elif program == "make":
        check_make(command.words[1:])
    elif program == "python":
        check_python(command)
    else:
        assert program in NEEDS, command
        check_files(command.words)


def parsed(parser, words, whole):
    """Arguments as the parser takes them; what is left out of the text is an experiment, and what
    a command cannot do without.
    """
    name = ("configs/default.yaml",)
    needed = (
        ("--input", "logs/*.csv", "--output", "scores"),
        ("--spans", "8..21"),
        ("--models", "mmoe,ple"),
    )
    for more in ((), name, *((*name, *options) for options in needed)):
        try:
            return parser.parse_args([*words, *more])
        except SystemExit as end:
            if end.code == 0:
                return None
        if whole:
            break
    raise AssertionError(f"the parser refuses {' '.join(words)}")


def check_mtlx(command):
    words = command.words[1:]
    if PLACEHOLDERS & {words[0]}:
        return
    arguments = parsed(PARSER, words, command.whole)
    name = getattr(arguments, "experiment", None)
    if name is not None:
        name = "configs/default.yaml" if name in FILES else name
        assert (ROOT / name).is_file(), command
        read_experiment(ROOT / name, arguments.overrides, arguments.data)


def check_make(words):
    targets = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M).group(1).split())
    for word in words:
        variable = re.fullmatch(r"([A-Z]+)=.*", word)
        if variable:
            name = variable.group(1)
            assert re.search(rf"\$\({name}\)|^{name} *\?=", MAKEFILE, re.M), word
        else:
            assert word in targets, word


def check_python(command):
    dash, module, *words = command.words[1:]
    assert dash == "-m", command
    if module == "pytest":
        paths = [word for word in words if "/" in word]
        assert paths and all((ROOT / path.split("::")[0]).exists() for path in paths), command
        return
    assert importlib.util.find_spec(module) is not None, command
    if module.startswith("benchmarks."):
        check_benchmark(module, words)


def check_benchmark(module, words):
    """Lets the script's own main read the words, and go no further."""
    given = []

    class Read(Exception):
        pass

    def parse_args(parser, *_):
        given.append(argparse_parse(parser, words))
        raise Read

    argparse_parse = argparse.ArgumentParser.parse_args
    script = importlib.import_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
        try:
            script.main()
        except Read:
            pass
        except SystemExit:
            raise AssertionError(f"{module} refuses {' '.join(words)}") from None
    assert given, f"{module} reads no arguments"


def check_files(words):
    if words[0] == "cp":
        sources = [ROOT / words[-2], ROOT / "kubeflow/manifests/overlays/example" / words[-2]]
        assert any(source.exists() for source in sources), words
        return
    for option, value in zip(words, words[1:], strict=False):
        if option in ("-r", "-f"):
            assert (ROOT / value).is_file(), words


@pytest.mark.parametrize("page", OF_COMMANDS, ids=lambda page: page.name)
def test_every_command_can_be_typed(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in commands(text_of(page), PROGRAMS):
        check(command)


@pytest.mark.parametrize("page", OF_COMMANDS, ids=lambda page: page.name)
def test_a_page_says_what_its_commands_need(page):
    text = " ".join(text_of(page).split())
    used = {command.words[0] for command in commands(text_of(page), PROGRAMS)}
    for program in used & {"docker", "kubectl", "curl"}:
        need = NEEDS[program].split(maxsplit=1)[1]
        assert re.search(rf"need an? {need}|needs an? {need}", text), f"{program} needs {need}"


def test_commands_are_found():
    found = {page.name: list(commands(text_of(page), PROGRAMS)) for page in OF_COMMANDS}
    first = [command.words for command in found["README.md"] if command.whole]
    assert first[:2] == [("make", "run"), ("make", "test")]
    assert len(found["results.md"]) > 20 and len(found["performance.md"]) > 8
    used = {command.words[0] for page in found.values() for command in page}
    assert used == PROGRAMS
    assert Command(("mtlx", "settings", "NAME"), False) in found["experiment.md"]


@pytest.mark.parametrize(
    "wrong",
    [
        "    mtlx rum configs/default.yaml",
        "    mtlx run configs/defaults.yaml",
        "    mtlx run configs/default.yaml --set trainig.epochs=1",
        "    mtlx run",
        "    mtlx check configs/default.yaml --row 5 --strickt",
        "    make runs",
        "    make run ROW=5",
        "    python -m benchmarks.chian",
        "    python -m benchmarks.chain --row-count 5",
        "    python -m benchmarks.chain --only theirs",
        "    python -m pytest tests/trainer/no_such_folder",
        "    pip install -r requirement.txt",
        "    cp -r kubeflow/manifests/overlays/examples mine",
        "    mtlxx run configs/default.yaml",
        "```bash\nmtlx run configs/defaults.yaml\n```",
        "`mtlx chek` says so",
        "`python -m benchmarks.chian` says so",
    ],
)
def test_a_wrong_command_is_found(wrong, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises((AssertionError, ValueError)):
        for command in commands(f"A page.\n\n{wrong}\n\nMore.\n", PROGRAMS):
            check(command)


def test_what_explains_is_run(capsys):
    explaining = (("mtlx", "models"), ("mtlx", "settings"))
    found = {
        command.words[1:]
        for page in OF_COMMANDS
        for command in commands(text_of(page), PROGRAMS)
        if command.words[:2] in explaining and not PLACEHOLDERS & set(command.words)
    }
    assert {("models",), ("models", "dtn"), ("settings", "gate")} <= found
    for words in found:
        assert main(words) == 0, words
        assert len(capsys.readouterr().out.splitlines()) > 5, words


def test_logs_are_simulated_and_checked_as_in_the_docs(tmp_path, monkeypatch, capsys):
    for path in ("configs", "docs"):
        (tmp_path / path).symlink_to(ROOT / path)
    monkeypatch.chdir(tmp_path)
    text = text_of(ROOT / "docs/stack.md") + text_of(ROOT / "README.md")
    lines = [command.words[1:] for command in commands(text, PROGRAMS)]
    simulate, check_logs = ("simulate", "--out", "var/simulated"), ("check", "configs/default.yaml")
    assert simulate in lines and check_logs in lines
    assert main([*simulate, "--rows", "3000"]) == 0
    assert main(check_logs) == 0
    assert "purchase" in capsys.readouterr().out


def test_examples_of_experiments_are_valid(tmp_path):
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```yaml\n(.*?)^```", text_of(page), re.S | re.M)
        if "name" in yaml.safe_load(block)
    ]
    assert len(blocks) >= 2
    for block in blocks:
        file = tmp_path / "experiment.yaml"
        file.write_text(block, encoding="utf-8")
        assert read_experiment(file).name == "my-shop"


def test_readme_is_short_and_begins_with_commands_and_picture():
    text = text_of(ROOT / "README.md")
    assert len(text.split()) <= 900
    first = text.split("\n## ")[0]
    assert "    make run" in first and "    make test" in first
    (picture,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", first)
    assert 0 < (ROOT / picture).stat().st_size < 200_000


def test_counts_of_readme_are_those_of_the_registries():
    text = text_of(ROOT / "README.md")
    aliases = {"none", "youtube_net"}
    assert f"{len(list(NETWORKS))} networks" in text
    assert len(set(SEQUENCE_ENCODERS) - aliases) == 8 and "eight encoders" in text
    assert len(list(INTERACTIONS)) == 5 and "five feature interactions" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_are_named_exist(page):
    made = ("wide_and_deep", "overlays/mine", "NAME")  # by the reader
    text = text_of(page)
    folders = "transform|trainer|components|pipeline|kubeflow|tests|benchmarks|configs|install"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*\w)(?:::\w+)?`", text):
        assert (ROOT / path).exists() or any(part in path for part in made), path
    for name in re.findall(r"\bmtlx((?:\.[a-z_0-9]+)+)\b", text):
        parts = name.strip(".").split(".")
        if parts[0] in FLOORS and parts[-1] not in made:
            path = ROOT.joinpath(*parts)
            above = path.parent  # A name within a module.
            assert any(
                p.exists() for p in (path, path.with_suffix(".py"), above.with_suffix(".py"))
            ), name


@pytest.mark.parametrize("floor", ROOMS)
def test_the_rooms_are_those_of_the_architecture_page(floor):
    text = text_of(ROOT / "docs/architecture.md")
    (row,) = re.findall(rf"^\| `{floor}/` \|.*?\|(.*)\|$", text, re.M)
    named = [name.removesuffix(".py") for name in re.findall(r"`([\w.]+)`", row)]
    assert [name for name in named if name in ROOMS[floor]] == list(ROOMS[floor])
