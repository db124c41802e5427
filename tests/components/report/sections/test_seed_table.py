"""The spread between seeds in the report."""

import dataclasses
import re

import numpy as np
import pytest

from mtlx.components.report.render import render
from mtlx.components.report.sections.seed_table import seed_rows
from mtlx.components.slice_evaluation.results import SeedMetrics, TrainedSeeds

AUCS = {"click": (0.7312, 0.7401, 0.7353), "add_to_cart": (0.78, None, 0.77)}


@pytest.fixture
def results(report_data):
    by_seed = [
        SeedMetrics("candidate", seed, task, (), {} if auc is None else {"auc": auc})
        for task, aucs in AUCS.items()
        for seed, auc in zip((1, 2, 3), aucs, strict=True)
    ]
    seeds = {"candidate": TrainedSeeds((1, 2, 3), 3)}
    return dataclasses.replace(report_data.results, seeds=seeds, by_seed=by_seed)


def test_rows_have_mean_and_deviation_where_all_seeds_are_defined(results):
    click, cart = seed_rows(results)
    assert click.values == ((1, False, 0.7312), (2, False, 0.7401), (3, True, 0.7353))
    assert click.mean == pytest.approx(np.mean(AUCS["click"]))
    assert click.deviation == pytest.approx(np.std(AUCS["click"], ddof=1))
    assert (cart.mean, cart.deviation) == (None, None)


def test_the_page_tells_the_spread_and_on_what_the_verdict_rests(report_data, results):
    words = results.seeds_words
    verdict = dataclasses.replace(report_data.verdict, seeds=words)
    page = render(dataclasses.replace(report_data, results=results, verdict=verdict))
    text = " ".join(re.sub("<[^>]*>", " ", page).split())
    assert text.index("All of this rests on 3 trainings") < text.index("Spread between seeds")
    assert (
        "click candidate 0.7312 (seed 1) , 0.7401 (seed 2) , 0.7353 (seed 3, exported) 0.7355 "
        "0.0045" in text
    )
    assert "0.7800 (seed 1) , undefined (seed 2)" in text
    assert "as a cluster, and seeds" in text


def test_of_one_training_there_is_no_such_table(report_data):
    assert seed_rows(report_data.results) == []
    assert "seeds" not in render(report_data).split("<main")[1].split('id="experiment"')[0]
