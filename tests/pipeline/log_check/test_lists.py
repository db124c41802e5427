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


def test_a_tag_that_is_only_there_afterwards_is_a_leak(check, log):
    """In the middle of others, and in lists of the same length in all rows."""
    random = np.random.default_rng(7)
    tags = [
        [f"t{a}:1", "sold:1" if y else "new:1", f"t{b}:1"]
        for y, (a, b) in zip(log["click"], random.integers(0, 30, (ROWS, 2)), strict=True)
    ]
    log["tags"] = ["|".join(row) for row in tags]
    log["text"] = [f"{n}|1" for n in random.random(ROWS).round(3)]
    (found,) = [text for text in _texts(check(log, features=FEATURES)) if "almost by" in text]
    assert found.startswith("feature tags tells click almost by itself: AUC 1.0000 by which values")
    # As many tags that tell nothing of it, though each row has its own, are none.
    log["tags"] = [f"r{n}:1|{row[0]}" for n, row in enumerate(tags)]
    assert not [text for text in _texts(check(log, features=FEATURES)) if "almost by" in text]


def test_lists_that_are_the_same_in_every_row_are_constant(check, log):
    log["tags"], log["text"] = "a:1|b:0.5", "0.25|1"
    found = _texts(check(log, features=FEATURES))
    assert "feature tags is constant: every row has 'a|b'" in found
    assert "feature tags.weights is constant: every row has '1|0.5'" in found
    assert "feature text is constant: every row has '0.25|1'" in found
    log["text"] = ["0.25|1" if n % 2 else "1|0.25" for n in range(ROWS)]
    assert not any("text is constant" in text for text in _texts(check(log, features=FEATURES)))


def test_vectors_of_another_length_are_counted_as_malformed(check, log):
    log["tags"] = "a:1"
    log["text"] = ["1|2|3" if n % 100 == 7 else "1|2" for n in range(ROWS)]
    result = check(log, features=FEATURES)
    assert result.rows.malformed["a vector of another length"] == ROWS // 100
