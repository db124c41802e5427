"""The command itself, killed and stopped, with trainings that are none: `fake_work`."""

import signal

import pytest

from mtlx.pipeline.process.prompt_stop import STOPPED
from tests.pipeline.compare import planted_domains
from tests.pipeline.trainings import fake_work

MODELS = [f"m{place}=single_task:training.learning_rate={0.02 * place}" for place in (1, 2, 3)]
#: Three trainings; each model by itself or beside the reference, and the second beside the best.
TASKS = 7


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/part.csv").write_text("user_id,item_id,scenario,click\n1,i1,home,1\n")
    planted_domains.write_experiment(tmp_path)
    return tmp_path


def _started(folder, out, *options):
    command = ["compare", str(folder / "experiment.yaml"), "--out", str(folder / out)]
    command += ["--models", ",".join(MODELS), "--reference", "m3", "--seeds", "3"]
    return fake_work.started([*command, *options])


def test_after_sigkill_at_any_point_what_is_finished_is_not_done_again(folder):
    whole = _started(folder, "whole")
    shown, _ = whole.communicate(60)
    assert whole.returncode == 0, shown
    assert list(fake_work.begun(folder / "whole").values()) == [1] * TASKS
    for tasks in (1, 2, 5, TASKS):  # trainings and evaluations
        process = _started(folder, "killed")
        fake_work.wait_until_begun(process, folder / "killed", tasks)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        # What it had started ends with it.
        assert fake_work.all_gone(folder / "killed")
    last = _started(folder, "killed")
    told, _ = last.communicate(60)
    assert last.returncode == 0
    assert told.replace("killed", "whole") == shown
    again = fake_work.begun(folder / "killed")
    # Each of them was at work at one kill at most, and is begun once more.
    assert len(again) == TASKS and set(again.values()) <= {1, 2} and 2 in again.values()
    written = [(folder / out / "comparison.json").read_text() for out in ("killed", "whole")]
    assert written[0] == written[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_with_two_at_work_it_says_so_and_goes_on(folder, number):
    process = _started(folder, "out", "--workers", "2")
    fake_work.wait_until_begun(
        process, folder / "out", 4
    )  # Beside the reference's two, those of both others.
    process.send_signal(number)
    said, _ = process.communicate(60)
    assert process.returncode == 128 + number and said.rstrip().endswith(STOPPED)
    assert "Traceback" not in said and " is not compared" not in said
    assert fake_work.all_gone(folder / "out")
    process = _started(folder, "out", "--workers", "2")
    said, _ = process.communicate(60)
    assert process.returncode == 0, said
    again = fake_work.begun(folder / "out")
    assert len(again) == TASKS and sum(again.values()) <= TASKS + 2
