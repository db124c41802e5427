from pathlib import Path

import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.tune.best_file import best_file
from mtlx.pipeline.tune.tuning_record import TrialRow, TuningRecord

SETTINGS = {
    "training.learning_rate": 1e-5,
    "training.schedule.options.patience": 1,
    "model.options.hidden": [8, 4],
}
BEST = TrialRow(3, SETTINGS, "complete", value=0.5)


def _written(path, given, tmp_path):
    text = best_file(str(path), given, BEST, TuningRecord(trials=[BEST], objective="log loss"))
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "best.yaml").write_text(text, encoding="utf-8")
    return text, read_experiment(target / "best.yaml")


def test_it_is_the_searched_experiment_with_the_best_settings(tmp_path):
    given = ["training.epochs=3", "serving.push_to=served"]
    text, found = _written("configs/default.yaml", given, tmp_path)
    expected = read_experiment(
        "configs/default.yaml",
        [
            *given,
            "training.learning_rate=1.0e-5",
            "training.schedule.options.patience=1",
            "model.options.hidden=[8, 4]",
        ],
    )
    assert found.model == expected.model and found.training == expected.training
    assert found.contract == expected.contract
    assert found.anchored().serving.push_to == str(Path("served").resolve())
    assert found.anchored().report == expected.anchored().report
    assert pipeline_root(found) == pipeline_root(expected)
    # In the words of the original.
    assert "# for splitting and for the intervals only" in text
    assert "log loss 0.50000 on the validation split, training.learning_rate 1e-05" in text


@pytest.mark.parametrize(
    ("written", "given", "was"),
    [
        ("  warm_start: latest_blessed  # of yesterday\n", [], "latest_blessed"),
        ("  warm_start:\n    from: models/3\n    optimizer: true\n", [], "{from: models/3, opt"),
        ("", ["training={warm_start: incremental, epochs: 2}"], "incremental"),
    ],
)
def test_it_begins_as_the_trials_did(tmp_path, written, given, was):
    original = Path("configs/daily.yaml").read_text(encoding="utf-8")
    assert "warm_start:" not in original
    path = tmp_path / "warm.yaml"
    path.write_text(original.replace("\ntraining:\n", f"\ntraining:\n{written}", 1))
    assert read_experiment(path, given).training.warm_start is not None
    text, found = _written(path, given, tmp_path)
    assert found.training.warm_start is None
    assert f"and so does this: training.warm_start was {was}" in text
    assert "# Who" in text  # its comments are kept


def test_what_would_be_kept_of_a_base_model_goes_with_it(tmp_path):
    """It is refused without one, and trials made an analysis of their own."""
    given = ["training.warm_start=latest_blessed", "transform.reuse=base_model"]
    assert read_experiment("configs/daily.yaml", given).transform.reuse == "base_model"
    text, found = _written("configs/daily.yaml", given, tmp_path)
    assert found.transform.reuse is None and found.training.warm_start is None
    assert "warm_start was latest_blessed, transform.reuse was base_model." in text


def test_a_text_that_cannot_be_edited_is_written_anew_and_says_so(tmp_path):
    original = Path("configs/default.yaml").read_text(encoding="utf-8")
    path = tmp_path / "block.yaml"
    text = original.replace("\nname: default", "\nname: |-\n  default", 1)
    path.write_text(text, encoding="utf-8")
    read_experiment(path)
    text, found = _written(path, ["name=other"], tmp_path)
    assert "Comments of that file could not be kept" in text
    assert found.training.learning_rate == 1e-5 and found.name == "other"
