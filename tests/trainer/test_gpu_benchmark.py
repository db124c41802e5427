"""What `benchmarks.gpu` does without a card: its order, its minutes, its tables, its imports."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.gpu_curve import difference, planted
from benchmarks.gpu_report import Results
from benchmarks.gpu_steps import matmul_flops
from benchmarks.step_models import TASKS, member_names

#: What the script is to run without.
ABSENT = ("tfx", "tensorflow_transform", "tensorflow_data_validation", "apache_beam", "pyarrow")


def test_every_member_is_measured_in_both_precisions_and_the_important_ones_first():
    jobs = gpu.ordered_jobs(member_names(), (8192, 65536))
    assert [job.member for job in jobs[:4]] == ["mmoe", "mmoe", "shared_bottom", "shared_bottom"]
    assert {job.member for job in jobs} == set(member_names())
    assert len(jobs) == 2 * len(member_names())
    sizes = {job.member: job.batches for job in jobs}
    assert sizes["mmoe"] == (8192, 65536)
    assert sizes["din"] == (8192,)


class Clock:
    """A budget of seconds that pass only when told."""

    def __init__(self, seconds):
        self.seconds = seconds

    def left(self):
        return max(0.0, self.seconds)


def test_waves_become_smaller_and_end_with_the_minutes(monkeypatch):
    clock, now = Clock(100.0), [0.0]
    monkeypatch.setattr(gpu, "time", SimpleNamespace(monotonic=lambda: now[0]))
    done = []
    for wave in gpu.waves(list(range(100)), clock, size=16):
        done += [len(wave)]
        now[0] += 5.0 * len(wave)  # five seconds a job
        clock.seconds -= 5.0 * len(wave)
    assert done == [16, 4]


def test_no_wave_begins_without_time():
    assert not list(gpu.waves([1, 2], Clock(0.0)))
    assert not list(gpu.waves([1, 2], Clock(10.0), per_job=11.0))
    assert list(gpu.waves([1, 2], Clock(30.0), per_job=11.0)) == [[1, 2]]


def test_out_of_memory_is_a_cell_in_words():
    error = RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes")
    assert gpu.reason(error) == "out of memory"
    assert gpu.reason(ValueError("one\ntwo")) == "ValueError: one"
    assert gpu.reason(ValueError()) == "ValueError: "


def _row(precision, batch, step_ms, flops):
    return {
        "member": "mmoe",
        "precision": precision,
        "batch": batch,
        "parameters": 1234567,
        "step_ms": step_ms,
        "examples_per_s": 1000 * batch / step_ms,
        "matmul_flops": flops,
    }


def test_tables_tell_shares_of_the_rate_of_the_same_precision(tmp_path):
    results = Results(tmp_path / "out", "some card", "")
    results.rates, results.float32_error = {"float32": 4e14, "bfloat16": 8e14}, 2e-4
    results.add(_row("float32", 8192, 2.0, 4e11))
    results.add(_row("bfloat16", 8192, 1.0, 4e11))
    results.add({"member": "dtn", "precision": "float32", "batch": 8192, "error": "out of memory"})
    results.tables = [{"rows": 10**5, "table_mib": 6.1, "batch": 8192, "step_ms": 2.0}]
    results.curves = {"processor": np.asarray([2.0, 1.0]), "card": np.asarray([2.0, 1.01])}
    results.skipped = ["tim float32"]
    results.write()
    text = (tmp_path / "out" / "gpu.md").read_text(encoding="utf-8")
    assert "TF32 is on" in text
    assert "| `mmoe` | 1,234,567 | 4,096,000 (50%) | 8,192,000 (50%) |" in text
    assert "| `dtn` | – | out of memory | – |" in text
    assert "| 100,000 | 6 | 8,192 | 2.00 | 4,096,000 |" in text
    assert "largest difference 1.0e-02" in text
    assert "Not measured: tim float32." in text
    content = json.loads((tmp_path / "out" / "gpu.json").read_text(encoding="utf-8"))
    assert content["members"][0]["share"] == pytest.approx(0.5)
    assert content["curves"]["card"] == [2.0, 1.01]


def test_planted_rows_have_labels_that_the_fields_tell():
    """The best weights of values, fitted to half of the rows, tell the labels of the rest."""
    rows, values = 8000, 10
    (batch,) = planted(rows, 1, values)
    hot = [np.eye(values)[batch[name]] for name in batch if name.startswith("field_")]
    known, labels = np.concatenate(hot, axis=1), batch["click"]
    half = rows // 2
    weights = np.linalg.lstsq(known[:half], labels[:half] - labels[:half].mean(), rcond=None)[0]
    scores = known[half:] @ weights
    found = np.corrcoef(scores, labels[half:])[0, 1]
    assert found > 0.5
    funnel = [batch[task.label] for task in TASKS]
    assert (funnel[0] >= funnel[1]).all() and (funnel[1] >= funnel[2]).all()


def test_a_curve_s_difference_is_a_share_of_the_other():
    assert difference(np.asarray([2.0, 1.0]), np.asarray([2.0, 0.8])) == pytest.approx(0.25)


def _equation(name, inner=(), **parameters):
    shaped = [SimpleNamespace(aval=SimpleNamespace(shape=shape)) for shape in ((5, 3), (5, 7))]
    return SimpleNamespace(
        primitive=SimpleNamespace(name=name),
        invars=shaped[:1],
        outvars=shaped[1:],
        params={**parameters, "jaxpr": inner},
    )


def test_products_in_loops_count_each_time():
    product = _equation("dot_general", dimension_numbers=(((1,), (0,)), ((), ())))
    inside = SimpleNamespace(eqns=[product])
    loop = _equation("scan", SimpleNamespace(jaxpr=inside), length=50)
    called = _equation("jit", [inside])
    whole = SimpleNamespace(eqns=[product, loop, called, _equation("add")])
    assert matmul_flops(whole) == (1 + 50 + 1) * 2 * 3 * 35


def test_imports_nothing_of_tensorflow_and_tfx():
    """Run without what the script is to do without; of TensorFlow, Keras's backend here, read."""
    code = (
        "import ast, inspect, sys\n"
        f"for name in {ABSENT}: sys.modules[name] = None\n"
        "import benchmarks.gpu, benchmarks.gpu_curve\n"
        "from benchmarks.gpu_steps import build\n"
        "step, parameters = build('shared_bottom', 'bfloat16', 20)\n"
        "assert parameters > 0 < len(step.state[0])\n"
        "own = [m for n, m in list(sys.modules.items()) if n.split('.')[0] in "
        "('mtlx', 'benchmarks')]\n"
        "for module in own:\n"
        "    for node in ast.walk(ast.parse(inspect.getsource(module) or '')):\n"
        "        names = [a.name for a in getattr(node, 'names', []) if hasattr(a, 'asname')]\n"
        "        names += [getattr(node, 'module', None) or '']\n"
        "        found = [n for n in names if n.split('.')[0] == 'tensorflow']\n"
        "        assert not found, module\n"
        "print(len(own))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert not found.returncode, found.stderr[-2000:]
    assert int(found.stdout) > 50


def test_says_what_backend_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["gpu", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="KERAS_BACKEND=jax"):
        gpu.main()
