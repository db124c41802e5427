"""How far seeds differ, in the terminal: one line."""

from mtlx.components.slice_evaluation.results import SeedMetrics, SliceResults, TrainedSeeds
from mtlx.pipeline.terminal.seed_lines import seed_lines


def _results(seeds, by_seed=()):
    return SliceResults(
        *(("candidate", "baseline"), ("click", "buy"), 0.95, "user", [], []),
        seeds=seeds,
        by_seed=by_seed,
    )


def test_the_candidates_seeds_are_told_over_all_rows():
    by_seed = [
        SeedMetrics(model, seed, task, key, {"auc": auc, "log_loss": 0.3} if auc else {})
        for key in ((), (("city", "a"),))
        for model in ("candidate", "baseline")
        for task, aucs in (("click", (0.71, 0.72, 0.70)), ("buy", (0.6, None, 0.65)))
        for seed, auc in zip((3, 4, 5), aucs, strict=True)
    ]
    trained = TrainedSeeds((3, 4, 5), 3)
    results = _results({"candidate": trained, "baseline": trained}, by_seed)
    assert list(seed_lines(results)) == [
        "AUC by seed (3, 4, 5; exported: 3): click 0.7100, 0.7200, 0.7000; buy 0.6000, undefined, "
        "0.6500"
    ]
    assert results.seeds_words == (
        "All of this rests on 3 trainings of the candidate, from seeds 3, 4, 5: means over them "
        "are compared (the baseline of 3), with intervals over values of user and seeds. The model "
        "of seed 3, the median on the validation split, is the exported one."
    )


def test_of_one_training_nothing_is_told():
    results = _results({})
    assert list(seed_lines(results)) == [] and results.seeds_words == ""


def test_a_task_whose_labels_are_numbers_is_left_out():
    by_seed = [SeedMetrics("candidate", seed, "buy", (), {"rmse": 2.0}) for seed in (3, 4, 5)]
    assert list(seed_lines(_results({"candidate": TrainedSeeds((3, 4, 5), 3)}, by_seed))) == []
