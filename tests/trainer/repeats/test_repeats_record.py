"""Which of several trainings is exported, and where the others lie."""

import pytest

from mtlx.trainer.repeats.repeats_record import RepeatsRecord, median_place, repeats_folder


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([0.3, 0.1, 0.2], 2),
        ([0.5, 0.1, 0.4, 0.2, 0.3], 4),
        # Of an even number the lower one in the middle.
        ([0.4, 0.1, 0.3, 0.2], 3),
        ([0.2, 0.2, 0.2], 1),
        ([None, 0.2, 0.1], 1),
        ([None, None, None], 1),
        ([0.7], 0),
    ],
)
def test_the_median_is_one_of_the_trainings(values, place):
    assert median_place(values) == place


def test_the_record_is_found_beside_the_model(tmp_path):
    model = f"{tmp_path}/model/Format-Serving"
    assert RepeatsRecord.beside(model) is None
    record = RepeatsRecord((4, 5, 6), 6, "log loss", (0.31234, None, 0.29))
    record.save(repeats_folder(model))
    assert RepeatsRecord.beside(model) == RepeatsRecord.beside(f"{model}/") == record
    assert record.folders(model) == {
        4: f"{tmp_path}/model/repeats/4",
        5: f"{tmp_path}/model/repeats/5",
        6: model,
    }
    assert record.words == (
        "Trained from 3 seeds: log loss 0.31234 (seed 4), unknown (seed 5), 0.29000 (seed 6) on "
        "the validation split. Seed 6, the median, is exported; the others are evaluated with it."
    )


@pytest.mark.parametrize("text", ["{", '{"seeds": [1]}', "[]"])
def test_a_record_that_is_none_is_named(tmp_path, text):
    folder = tmp_path / "repeats"
    folder.mkdir()
    (folder / "repeats.json").write_text(text)
    with pytest.raises(ValueError, match=r"repeats.json is no record of repeated trainings"):
        RepeatsRecord.beside(str(tmp_path / "Format-Serving"))
