"""Tables on disk are those of one step, whatever steps, kills and errors do while they are written."""

import os
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.optimization.changed_rows import ChangedRows
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.stored import archive, stored_array, table_log
from mtlx.trainer.training.stored.background_writer import BackgroundWriter
from mtlx.trainer.training.training_progress import TrainingProgress
from mtlx.trainer.training.training_state import StateStore, TrainingState

ROWS = 40


class Killed(Exception):
    """Stands for the end of the process: what comes behind it is not written."""


class Training:
    """A table with a slot, and one dense weight; its steps change three rows each."""

    def __init__(self, root):
        self.random = np.random.default_rng(len(os.listdir(root)))
        self.folder = CheckpointFolder(str(root), "digest")
        shapes = ((ROWS, 2), (ROWS, 2), (3,))
        self.table, self.slot, self.dense = (
            keras.Variable(self.random.normal(size=shape).astype("float32")) for shape in shapes
        )
        self.groups = {"model": [self.dense, self.table], "optimizer": [self.slot]}
        self.changed = ChangedRows.of((self.table, self.slot))
        workers = WorkerGroup(tf.distribute.get_strategy())
        self.store = StateStore(self.folder, workers, [self.changed])
        self.state = TrainingState(TrainingProgress(step=0))

    def begin(self):
        found = self.store.restore(self.groups)
        self.store.begin(self.groups, None if found is None else found[1])
        if found is not None:
            self.state = found[0]
        return self

    def step(self, rows=None):
        rows = self.random.integers(0, ROWS, 3) if rows is None else rows
        for variable in (self.table, self.slot):
            values = self.random.normal(size=(len(rows), 2)).astype("float32")
            variable.value.scatter_update(tf.IndexedSlices(values, rows))
        self.changed.note(tf.constant(rows))
        self.dense.assign_add(np.ones(3, "float32"))
        self.state.progress.step += 1

    def save(self):
        self.store.save(self.state, self.groups)
        return self.values()

    def values(self):
        variables = [one for group in self.groups.values() for one in group]
        return [np.array(one) for one in variables]


def _on_disk(root):
    """The step of the last whole checkpoint and its values, as a new process finds them."""
    found = Training(root)
    found.begin()
    found.store.wait()
    return found.state.progress.step, found.values(), found.state.best


def _assert_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(stored_array, "BLOCK_BYTES", 8 * 7)


def test_a_base_that_steps_have_changed_while_it_was_written_is_of_one_step(
    tmp_path, small_blocks, monkeypatch
):
    """Before, between and behind the blocks; what was copied stays, whatever steps do later."""
    training, blocks = Training(tmp_path), stored_array.blocks

    def with_steps(*arguments):
        for block in blocks(*arguments):
            training.step()
            yield block
            training.step([block.start, min(block.stop, ROWS - 1)])

    with monkeypatch.context() as patch:
        patch.setattr(stored_array, "blocks", with_steps)
        training.begin()
        training.store.wait()
    assert training.state.progress.step > 20
    training.step()
    going_on, write = threading.Event(), table_log.write_archive

    def late(*arguments):
        assert going_on.wait(20)
        write(*arguments)

    monkeypatch.setattr(table_log, "write_archive", late)
    step, expected = training.state.progress.step, training.save()
    training.step(np.arange(ROWS))
    going_on.set()
    training.store.wait()
    found, values, _ = _on_disk(tmp_path)
    assert found == step
    _assert_same(values, expected)


def test_a_kill_at_any_write_leaves_the_older_checkpoint_or_the_new_one(tmp_path, monkeypatch):
    training = Training(tmp_path).begin()
    training.step()
    kept = {training.state.progress.step: training.save()}
    training.store.wait()
    outcomes, real = [], tf.io.gfile.GFile
    for allowed in range(100):
        before = training.state.progress.step
        training.step(np.arange(ROWS))  # a new base follows
        left = [allowed]

        class Dying(real):
            def write(self, data, left=left):
                left[0] -= 1
                if left[0] < 0:
                    super().write(data[: len(data) // 2])
                    raise Killed
                super().write(data)

        with monkeypatch.context() as patch:
            for module in (archive, stored_array):
                patch.setattr(module.tf.io.gfile, "GFile", Dying)
            kept[before + 1] = training.save()
            try:
                training.store.wait()
            except Killed:
                killed = True
            else:
                killed = False
        found, values, _ = _on_disk(tmp_path)
        outcomes.append((killed, found == before + 1))
        assert found in (before, before + 1)
        _assert_same(values, kept[found])
        if not killed:
            break
        training = Training(tmp_path).begin()
        training.store.wait()
    # Before the changes, between them and the record, while the next base is written, and not.
    assert outcomes[0] == (True, False) and outcomes[-1] == (False, True)
    assert (True, True) in outcomes


def test_a_save_returns_before_it_is_written_and_the_next_one_waits(tmp_path, monkeypatch):
    training = Training(tmp_path).begin()
    training.store.wait()
    going_on, written, save = threading.Event(), [], CheckpointFolder.save

    def slow(folder, arrays, state):
        assert going_on.wait(20)
        save(folder, arrays, state)
        written.append(state["progress"]["step"])

    monkeypatch.setattr(CheckpointFolder, "save", slow)
    training.step()
    training.save()
    training.store.check()
    training.step()
    assert written == []
    second = threading.Thread(target=training.save)
    second.start()
    second.join(0.05)
    assert second.is_alive() and written == []
    going_on.set()
    second.join()
    training.store.wait()
    assert written == [1, 2]


def test_an_error_in_the_background_is_raised_at_the_next_step_or_the_end(tmp_path, monkeypatch):
    training = Training(tmp_path).begin()
    training.step()
    training.save()
    training.store.wait()

    def full(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(CheckpointFolder, "save", full)
    training.step()
    training.save()
    training.store._writer._thread.join()
    with pytest.raises(OSError, match="no space"):
        training.store.check()
    training.save()
    with pytest.raises(OSError, match="no space"), training.store.written():
        pass
    training.save()
    # What came first is what a person must see.
    with pytest.raises(ZeroDivisionError), training.store.written():
        raise ZeroDivisionError
    assert _on_disk(tmp_path)[0] == 1


def test_a_save_holds_what_changed_and_files_do_not_pile_up(tmp_path):
    """The best epoch's table stays readable when the base that it came from is replaced."""
    training = Training(tmp_path).begin()
    training.step()
    best = training.state.best = training.store.values(training.groups["model"])
    expected = [np.array(training.dense), np.array(training.table)]
    sizes = []
    for step in range(40):
        training.step([step % ROWS])
        last = training.save()
        training.store.wait()
        files = {name for name in os.listdir(tmp_path / "digest") if name.startswith("changes")}
        sizes.append(len(files))
    with np.load(tmp_path / "digest" / max(files, key=lambda name: int(name[8:-4]))) as changes:
        assert {name: changes[name].shape[0] for name in changes.files} == {
            name: 1 for name in ("model/1", "model/1/rows", "optimizer/0")
        }
    for _ in range(2):
        training.step(np.arange(ROWS))
        last = training.save()
    training.store.wait()
    assert max(sizes) <= 41 and len(os.listdir(tmp_path / "digest")) <= 6
    _assert_same(map(np.asarray, best), expected)
    _, values, found = _on_disk(tmp_path)
    _assert_same(values, last)
    _assert_same(map(np.asarray, found), expected)


def test_what_no_step_has_changed_is_written_as_a_whole(tmp_path):
    training = Training(tmp_path).begin()
    training.step()
    training.save()
    training.store.wait()
    training.table.assign(np.full((ROWS, 2), 7.0, "float32"))
    training.store.changed_otherwise()
    expected = training.save()
    training.store.wait()
    _assert_same(_on_disk(tmp_path)[1], expected)


@pytest.mark.parametrize("damage", ["base", "changes"])
def test_a_checkpoint_whose_files_are_damaged_counts_as_none(tmp_path, damage):
    training = Training(tmp_path).begin()
    training.step()
    training.save()
    training.store.wait()
    (path,) = (tmp_path / "digest").glob(f"{damage}-*")
    if damage == "base":
        path = next(path.iterdir())
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    assert CheckpointFolder(str(tmp_path), "digest").load() is None


def test_an_archive_is_written_in_pieces(tmp_path, monkeypatch):
    """As large as NumPy cuts them, and no whole array."""
    pieces, write = [], archive._Stream.write
    monkeypatch.setattr(
        archive._Stream, "write", lambda self, data: pieces.append(len(data)) or write(self, data)
    )
    arrays = {"a/0": np.arange(5 * 2**20), "b": np.array("text")}
    archive.write_archive(str(tmp_path / "x.npz"), arrays)
    assert max(pieces) <= 2**24 + 2**10 < arrays["a/0"].nbytes
    with np.load(tmp_path / "x.npz") as found:
        _assert_same([found[name] for name in arrays], arrays.values())
    assert os.listdir(tmp_path) == ["x.npz"]


def test_a_writer_raises_once():
    writer = BackgroundWriter()
    writer.start(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.wait()
    writer.wait()
    writer.check()
