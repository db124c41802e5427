"""What is left to a process, on planted files of the kernel."""

import pytest

from mtlx.trainer.examples.available_memory import available_memory

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path):
    """Writes files below a root, by path."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    write({"proc/meminfo": f"MemTotal: 99 kB\nMemAvailable:   {16 * GIB // 1024} kB\n"})
    return write


def test_the_machines_where_no_cgroup_limits(machine):
    assert available_memory(machine({})) == 16 * GIB
    limits = {
        "proc/self/cgroup": "3:cpuset:/\n0::/job\n",
        "sys/fs/cgroup/job/memory.max": "max\n",
        "sys/fs/cgroup/job/memory.current": "7\n",
    }
    assert available_memory(machine(limits)) == 16 * GIB


def test_a_containers_limit_less_what_it_holds_and_would_not_give_up(machine):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": f"{4 * GIB}\n",
        "sys/fs/cgroup/memory.current": f"{3 * GIB}\n",
        "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
    }
    assert available_memory(machine(files)) == 3 * GIB // 2


def test_the_least_of_a_cgroup_and_those_above_it(machine):
    files = {"proc/self/cgroup": "0::/pod/container\n"}
    for path, limit in (("pod/container", 8), ("pod", 2)):
        files[f"sys/fs/cgroup/{path}/memory.max"] = str(limit * GIB)
        files[f"sys/fs/cgroup/{path}/memory.current"] = str(GIB)
    assert available_memory(machine(files)) == GIB


@pytest.mark.parametrize("folder", ["memory/docker/x", "memory"])
def test_version_1_also_where_the_path_is_the_hosts(machine, folder):
    files = {
        "proc/self/cgroup": "9:name=systemd:/docker/x\n4:cpu,memory:/docker/x\n",
        f"sys/fs/cgroup/{folder}/memory.limit_in_bytes": f"{5 * GIB}\n",
        f"sys/fs/cgroup/{folder}/memory.usage_in_bytes": f"{4 * GIB}\n",
        f"sys/fs/cgroup/{folder}/memory.stat": "total_inactive_file 0\n",
    }
    assert available_memory(machine(files)) == GIB


def test_nothing_is_left_above_the_limit_and_nothing_known_without_files(machine, tmp_path):
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "10\n",
        "sys/fs/cgroup/memory.current": "11\n",
    }
    assert available_memory(machine(files)) == 0
    assert available_memory(tmp_path / "nowhere") is None


def test_of_this_machine():
    assert available_memory() is None or available_memory() > 1 << 20
