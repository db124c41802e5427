"""The sample of an evaluation: which rows, and that they come back as they were."""

import hashlib

import numpy as np
import pytest

from mtlx.components.slice_evaluation.models.sampled_predictions import (
    SAMPLED_ROWS,
    SamplePredictions,
    _write,
    load_sampled_predictions,
    sample_batch,
)

TASKS = ("ctr", "cvr")


def _batch(first, rows):
    examples = [f"row {n}".encode() for n in range(first, first + rows)]
    ctr = np.array([int(row.split()[1]) for row in examples], np.float32) / 4096
    return examples, {"ctr": ctr, "cvr": np.where(ctr > 0.1, ctr, np.nan).astype(np.float32)}


def _combined(batches):
    combine = SamplePredictions()
    accumulators = [combine.add_input(combine.create_accumulator(), batch) for batch in batches]
    return combine.extract_output(combine.merge_accumulators(accumulators))


@pytest.fixture
def batches():
    return [sample_batch(*_batch(first, rows)) for first, rows in ((0, 400), (400, 0), (400, 300))]


def test_the_rows_with_the_least_digests_stay_however_they_come(batches):
    rows = _combined(batches)
    everyone = [f"row {n}".encode() for n in range(700)]
    digests = {row: hashlib.blake2b(row, digest_size=8).digest() for row in everyone}
    assert [row for _, row, _ in rows] == sorted(everyone, key=digests.get)[:SAMPLED_ROWS]
    assert _combined(batches[::-1]) == rows


def test_each_row_comes_back_with_its_own_predictions(batches, tmp_path):
    _write(_combined(batches), str(tmp_path / "evaluation"), TASKS)
    sample = load_sampled_predictions(str(tmp_path / "evaluation"))
    numbers = np.array([int(row.split()[1]) for row in sample.examples], np.float32) / 4096
    assert sample.predictions["ctr"].tolist() == numbers.tolist()
    undefined = np.isnan(sample.predictions["cvr"])
    assert undefined.tolist() == (numbers <= 0.1).tolist() and undefined.any()


def test_a_large_batch_offers_rows_from_all_over_it():
    rows = sample_batch(*_batch(0, 4000))
    numbers = [int(row.split()[1]) for _, row, _ in rows]
    assert len(rows) == SAMPLED_ROWS and (numbers[0], numbers[-1]) == (0, 3999)
    assert max(np.diff(numbers)) <= 9


def test_an_evaluation_of_before_has_no_sample(tmp_path):
    assert load_sampled_predictions(str(tmp_path)) is None
