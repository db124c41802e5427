from mtlx.pipeline.trainings.epochs_line import epochs_line, read_epochs


def test_epochs_come_back_without_what_nobody_asks_for():
    epochs = [{"epoch": 1, "selection": 0.5, "validation_auc": {"click": None}, "seconds": 3.0}]
    line = epochs_line(epochs)
    assert "\n" not in line
    assert read_epochs(line) == [{"epoch": 1, "selection": 0.5, "validation_auc": {"click": None}}]


def test_other_lines_are_none():
    assert read_epochs("epoch 1 of at most 3: loss 0.5") is None
    assert read_epochs("") is None
