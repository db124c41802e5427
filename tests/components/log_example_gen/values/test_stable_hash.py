import os
import subprocess
import sys

import numpy as np

from mtlx.components.log_example_gen.values.stable_hash import uniform


def test_uniform_and_independent_of_the_seed():
    values = np.arange(20_000)
    first, second = uniform(values, 1), uniform(values, 2)
    for hashed in (first, second):
        assert 0.0 <= hashed.min() and hashed.max() < 1.0
        counts, _ = np.histogram(hashed, 10, (0, 1))
        assert np.abs(counts - 2000).max() < 200
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_equal_values_have_equal_hashes_in_every_process():
    texts = np.array(["u1", "u2", "u1"], object)
    here = uniform(texts, 5)
    assert here[0] == here[2] != here[1]
    code = (
        "import numpy as np; from mtlx.components.log_example_gen.values.stable_hash import uniform;"
        "print(repr(uniform(np.array(['u1', 'u2', 'u1'], object), 5).tolist()))"
    )
    for seed in ("0", "7"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.stdout.strip() == repr(here.tolist())
