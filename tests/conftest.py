"""What all tests share: their order (the longest files first, so that no process is left with one
at the end), their names, small disks, and a browser.
"""

import collections
import gc
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from xdist.scheduler import LoadFileScheduling

# Before TensorFlow is imported, and for all processes that tests start: at least as many processes
# test side by side as there are cores, and small operations cost a third more where several threads
# wait for their share of each.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The same numbers on all machines: `training.precision: auto` is float32 where oneDNN leaves the
# instructions for bfloat16 alone. Tests of bfloat16 ask for it.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI")
# As the package does, before TFT is imported, by whichever process.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
# Else each parser of arguments looks for translations of its words, and Beam makes hundreds.
os.environ.setdefault("LANGUAGE", "C")

from mtlx.pipeline.process import stack
from mtlx.transform.config.safe_yaml import SAFE_LOADER
from tests.forked_process import FORKED_PYTHON, start_for_all
from tests.graph_rewriting import rewritten

# `yaml.safe_load` as tests call it: packages and experiments are read hundreds of times.
yaml.SafeLoader = SAFE_LOADER

#: Files that take more than twenty seconds, by their share of the whole.
LONGEST_FIRST = (
    "pipeline/test_interrupted_run.py",
    "trainer/test_contract.py",
    "kubeflow/rehearsal/test_rehearse.py",
    "trainer/distribution/test_worker_group.py",
    "kubeflow/test_beam_runners.py",
    "trainer/parts/sequence_encoders/test_target.py",
    "pipeline/test_windowed_run.py",
    "components/slice_evaluation/test_executor.py",
    "trainer/distribution/test_devices.py",
    "trainer/training/methods/test_bi_level_planted.py",
    "trainer/parts/sequence_encoders/test_tim.py",
    "pipeline/graph/test_stock_components.py",
    "kubeflow/training_job/run_fn/test_processes.py",
    "pipeline/replay/test_replay.py",
    "pipeline/compare/test_compare.py",
    "components/serving_check/test_executor.py",
    "trainer/training/methods/test_schedules_in_training.py",
    "pipeline/test_late_conversions.py",
    "trainer/test_start_scale.py",
    "transform/test_preprocessing.py",
    "trainer/serving/test_scoring.py",
    "trainer/training/methods/test_standard.py",
    "pipeline/experiment/test_presets.py",
    "trainer/training/methods/test_multi_domain_devices.py",
    "trainer/training/methods/test_gate_trim.py",
    "trainer/networks/test_learnt_parts.py",
    "trainer/serving/test_export.py",
    "pipeline/simulation/days/test_simulator.py",
    "trainer/test_run_fn.py",
    "pipeline/simulation/test_simulator.py",
    "trainer/serving/test_request_checks.py",
    "components/one_pass_transform/test_component.py",
    "transform/columns/test_missing_values.py",
    "components/log_example_gen/test_component.py",
    "trainer/training/methods/test_bi_level.py",
    "trainer/networks/test_dtn_task_sensitive.py",
    "components/slice_evaluation/test_coverage.py",
    "trainer/parts/sequence_encoders/test_behaviours_of_several_fields.py",
    "pipeline/test_odd_names.py",
    "kubeflow/rehearsal/test_scheduler.py",
    "trainer/warm_start/test_methods.py",
    "trainer/parts/sequence_encoders/test_sequences_read.py",
    "trainer/losses/test_losses_learn.py",
    "trainer/parts/sequence_encoders/test_dien.py",
    "kubeflow/submission/test_submit.py",
    "trainer/training/methods/test_meta.py",
)


#: Files that look at the same finished run: one process has them all, so that it is made once.
ONE_RUN = (
    "pipeline/test_interrupted_run.py",
    "pipeline/commands/test_score.py",
    "pipeline/run/test_local_run.py",
    "pipeline/run/test_pipeline_root.py",
    "pipeline/test_command_line.py",
    "pipeline/test_drift_of_a_run.py",
    "pipeline/test_gate_of_a_run.py",
    "pipeline/test_insight_of_a_run.py",
    "pipeline/test_run_endings.py",
    "pipeline/test_serving_check_of_a_run.py",
    "pipeline/test_serving_skew_of_a_run.py",
    "pipeline/test_versions_of_a_run.py",
    "pipeline/test_warm_start_of_a_run.py",
)


def _place(path):
    """Place of a file among the longest ones."""
    for index, name in enumerate(LONGEST_FIRST):
        if path.endswith("tests/" + name):
            return index
    return len(LONGEST_FIRST)


def pytest_configure(config):
    """Before it starts the processes that test side by side."""
    if config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        start_for_all()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs):
    """They are forked where all is imported, not started."""
    for spec in specs:
        if spec.popen and not spec.python:
            spec.python = FORKED_PYTHON


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.path.as_posix()))


def pytest_collectstart():
    """What is imported and collected stays: there is no garbage to look for."""
    gc.disable()


def pytest_collection_finish():
    """A million objects stay for good: garbage is looked for among what comes later.

    And that seldom: graphs are made of so many objects that to look for garbage after every 700 of
    them, as Python does, takes a twentieth of the tests' time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)
    gc.enable()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """What a file's tests have left is looked through once, when the last of them has ended.

    What lives on, such as graphs that TensorFlow keeps for good, is not looked through again: a
    training collects garbage before its export, and would look through what all tests before it
    have left.
    """
    yield
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


class Scheduling(LoadFileScheduling):
    """Whole files, as `LoadFileScheduling` has them, but for two things.

    The files of `ONE_RUN` are as one. And the longest files come first: its own order, by the
    number of tests, leaves those to the end that take a minute for one test.
    """

    def _split_scope(self, nodeid):
        path = super()._split_scope(nodeid)
        return "tests/" + ONE_RUN[0] if path.removeprefix("tests/") in ONE_RUN else path

    def _assign_work_unit(self, node):
        units = sorted(self.workqueue.items(), key=lambda item: _place(item[0]))
        self.workqueue = collections.OrderedDict(units)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_make_parametrize_id(val):
    """Names packed bytes by what they are: gzip writes the time into its header, and processes
    that collect the same tests in two different seconds would not find the same names.
    """
    return "packed" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None


@pytest.fixture(scope="session", autouse=True)
def _beam_in_process():
    """Executors that are called without `mtlx.pipeline.run.node_run` use Beam's own default else."""
    from tests.light_beam import light_beam

    stack.run_beam_in_process()
    with light_beam():
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_are_loaded_once_and_checked_in_forks():
    # Not where TensorFlow would be imported for this alone.
    if "tensorflow" not in sys.modules:
        yield
        return
    from tests.isolated_process import forked_checks
    from tests.loaded_models import loaded_once

    with loaded_once(), forked_checks():
        yield


@pytest.fixture(scope="session", autouse=True)
def _plain_graphs():
    """Graphs run as they were traced.

    They are rewritten where `rewritten_graphs` is asked for, in what many tests look at (a finished
    run, a training), and in processes that tests start, such as those of rehearsals and of jobs.
    """
    with rewritten(False):
        yield


@pytest.fixture(scope="module")
def rewritten_graphs():
    with rewritten():
        yield


@pytest.fixture
def mount(tmp_path):
    """Mounts memory as a disk with the given options, such as ``size=1m``; root alone may.

    On a folder of its own, or on the one that is given.
    """
    mounted = []

    def function(options, folder=None):
        folder = folder or tmp_path / f"disk-{len(mounted)}"
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("needs a disk of its own, which root alone may mount")
        mounted.append(folder)
        return folder

    yield function
    for folder in mounted:
        # Lazily: a process that was killed may still hold a file.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def browser():
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return pytest.skip("no Chromium on PATH: install one to test pages in a real browser")


@pytest.fixture(scope="session")
def open_page(browser, tmp_path_factory):
    """Opens HTML; returns the DOM after loading and the browser's log."""

    def function(text):
        folder = tmp_path_factory.mktemp("browser")
        path = folder / "report.html"
        path.write_text(text, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000",
            "--dump-dom", path.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return function
