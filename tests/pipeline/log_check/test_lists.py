"""`mtlx check` reads several values, weights and vectors, and sees what leaks in them."""

import numpy as np

from tests.pipeline.log_check.test_log_check import ROWS, _texts

FEATURES = {
    "tags": {"kind": "categorical", "multiple": True, "weight_mark": ":"},
    "text": {"kind": "vector", "size": 2},
    "pair": {"kind": "cross", "of": ["user", "item"], "hash_buckets": 100},
}


def test_lists_are_profiled_and_no_leaks(check, log):
    random = np.random.default_rng(5)
    log["tags"] = [f"t{n}:0.5|t1:2" if n % 4 else "" for n in random.integers(0, 9, ROWS)]
    log["text"] = [f"{a:.3f}|{b:.3f}" for a, b in random.normal(size=(ROWS, 2))]
    result = check(log, features=FEATURES)
    assert _texts(result) == []
    profiles = {feature.name: feature for feature in result.features}
    assert profiles["tags"].distinct == 6 and 0.2 < profiles["tags"].missing < 0.5
    assert profiles["tags.weights"].distinct == 2 and profiles["text"].missing == 0
    assert "pair" not in profiles


def test_a_vector_that_holds_the_label_is_a_leak(check, log):
    random = np.random.default_rng(6)
    log["tags"] = "a:1"
    log["text"] = [
        f"{n:.3f}|{y + n / 99:.3f}" for n, y in zip(random.random(ROWS), log["click"], strict=True)
    ]
    found = _texts(check(log, features=FEATURES))
    assert any(text.startswith("feature text tells click almost by itself") for text in found)


def test_vectors_of_another_length_are_counted_as_malformed(check, log):
    log["tags"] = "a:1"
    log["text"] = ["1|2|3" if n % 100 == 7 else "1|2" for n in range(ROWS)]
    result = check(log, features=FEATURES)
    assert result.rows.malformed["a vector of another length"] == ROWS // 100
