"""The scripts of backup and restore, with programs that stand for MySQL's; and with a real server.

The last test takes the folder of a MySQL or MariaDB (``MTLX_MYSQL=DIR`` with ``usr/sbin/mariadbd`` and
``usr/bin/mariadb-dump``) and is skipped without one.
"""

import gzip
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.kubeflow.kustomization import build, pod
from tests.kubeflow.manifests.conftest import MANIFESTS

DUMP = "#!/bin/sh\necho \"$*\" >> {calls}\necho 'CREATE TABLE Artifact;'\n{end}\n"
WHOLE = "echo '-- Dump completed on today'"


def _script(item):
    (container,) = pod(item)["containers"]
    return [*container["command"], *container["args"]]


@pytest.fixture
def place(tmp_path, objects):
    """Runs either script in a folder with programs of ours first on the path."""
    folders = {name: tmp_path / name for name in ("bin", "backups", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    (restore,) = build(MANIFESTS / "restore")
    scripts = {
        "backup": _script(objects["CronJob", "mtlx-mysql-backup"]),
        "restore": _script(restore),
    }

    def program(name, text):
        path = folders["bin"] / name
        path.write_text(text.replace("{calls}", str(tmp_path / "calls")))
        path.chmod(0o755)

    def run(which, **environment):
        variables = {
            "PATH": f"{folders['bin']}:{os.environ['PATH']}", "TMPDIR": str(folders["tmp"]),
            "BACKUPS": str(folders["backups"]), "KEEP": "2", "MYSQL_HOST": "here",
            "MYSQL_USER": "mtlx", "MYSQL_PASSWORD": "a word", "RESTORE": "", **environment,
        }  # fmt: skip
        return subprocess.run(scripts[which], env=variables, capture_output=True, text=True)

    run.program, run.folder, run.backups = program, tmp_path, folders["backups"]
    program("mysqldump", DUMP.replace("{end}", WHOLE))
    program("mysql", '#!/bin/sh\necho "$*" >> {calls}\ncat > {calls}.restored\n')
    return run


def _names(place):
    return sorted(path.name for path in place.backups.iterdir())


def _old(place, day, text="x\n-- Dump completed on day\n"):
    path = place.backups / f"mtlx_metadata-202601{day:02d}T000000Z.sql.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path.name


def test_a_copy_is_whole_and_only_then_old_ones_go(place):
    first, second = _old(place, 1), _old(place, 2)
    (place.backups / "other.txt").touch()
    done = place("backup")
    assert done.returncode == 0, done.stderr
    (new,) = set(_names(place)) - {first, second, "other.txt"}
    assert _names(place) == sorted([second, new, "other.txt"])
    assert new in done.stdout
    text = gzip.decompress((place.backups / new).read_bytes()).decode()
    assert text.startswith("CREATE TABLE Artifact;")
    login = (place.folder / "tmp/login.cnf").read_text()
    assert login == '[client]\nhost=here\nuser=mtlx\npassword="a word"\n'
    # No word of the password where every process of the machine can read it.
    calls = (place.folder / "calls").read_text()
    assert "a word" not in calls and "--single-transaction" in calls
    assert calls.split()[-1] == "mtlx_metadata"


@pytest.mark.parametrize("end", ["exit 2", ""])
def test_half_a_copy_is_none_and_costs_no_old_one(place, end):
    """The server went away, with an error or without one."""
    kept = [_old(place, day) for day in (1, 2, 3)]
    place.program("mysqldump", DUMP.replace("{end}", end))
    assert place("backup").returncode != 0
    assert [name for name in _names(place) if not name.startswith(".")] == kept
    place.program("mysqldump", DUMP.replace("{end}", WHOLE))
    assert place("backup").returncode == 0
    assert not [name for name in _names(place) if name.startswith(".")]


def test_the_newest_copy_is_put_back_or_the_one_that_is_named(place):
    old = _old(place, 1, "old\n-- Dump completed on day\n")
    _old(place, 2, "new\n-- Dump completed on day\n")
    restored = place.folder / "calls.restored"
    assert place("restore").returncode == 0
    assert restored.read_text().startswith("new\n")
    assert place("restore", RESTORE=old).returncode == 0
    assert restored.read_text().startswith("old\n")
    assert (place.folder / "calls").read_text().split()[-1] == "mtlx_metadata"


def test_nothing_is_put_back_of_what_is_not_whole(place):
    done = place("restore")
    assert done.returncode == 1 and "no copy ''" in done.stderr
    name = _old(place, 1, "CREATE TABLE Artifact;\n")
    done = place("restore")
    assert done.returncode == 1 and f"{name} is not whole" in done.stderr
    assert place("restore", RESTORE="absent").returncode == 1
    assert not (place.folder / "calls").exists()


@pytest.fixture
def server(tmp_path):
    """A real server in a folder, with an empty database; gives its port."""
    root = Path(os.environ["MTLX_MYSQL"])
    libraries = os.pathsep.join(map(str, root.glob("usr/lib/*-linux-gnu")))
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    data = tmp_path / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = [f"--datadir={data}", f"--socket={tmp_path}/s", f"--lc-messages-dir={root}/usr/share/mysql",
              f"--port={port}", "--bind-address=127.0.0.1", "--user=root", "--skip-grant-tables=0"]  # fmt: skip
    data.mkdir()
    (data / "mysql").mkdir()
    start = tmp_path / "start.sql"
    scripts = root / "usr/share/mysql"
    start.write_text(
        "USE mysql;\n"
        + "".join((scripts / f"{name}.sql").read_text() for name in (
            "mysql_system_tables", "mysql_system_tables_data"))
        + "CREATE DATABASE mtlx_metadata;\nFLUSH PRIVILEGES;\n"
        + "CREATE USER mtlx@'%' IDENTIFIED BY 'a word';\n"
        + "GRANT ALL ON mtlx_metadata.* TO mtlx@'%';\n"
    )  # fmt: skip
    with open(start) as statements:
        subprocess.run([root / "usr/sbin/mariadbd", "--no-defaults", "--bootstrap", *common[:3], "--user=root"],
                       stdin=statements, env=environment, check=True, capture_output=True)  # fmt: skip
    process = subprocess.Popen(
        [root / "usr/sbin/mariadbd", "--no-defaults", *common[:-1]], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield root, environment, port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.skipif("MTLX_MYSQL" not in os.environ, reason="MTLX_MYSQL names no server's folder")
def test_a_real_database_comes_back(place, server):
    root, environment, port = server
    for name, real in (("mysqldump", "mariadb-dump"), ("mysql", "mariadb")):
        command = f'exec {root}/usr/bin/{real} "$1" --port={port} "${{@:2}}"\n'
        place.program(name, f"#!/bin/bash\nexport LD_LIBRARY_PATH={environment['LD_LIBRARY_PATH']}\n{command}")  # fmt: skip

    def ask(sql):
        login = f"--user=mtlx --password=a word --host=127.0.0.1 --port={port}"
        words = [f"--{word.strip()}" for word in login.split("--") if word]
        return subprocess.run([root / "usr/bin/mariadb", "--no-defaults", *words, "-N", "mtlx_metadata", "-e", sql],
                              env=environment, check=True, capture_output=True, text=True).stdout  # fmt: skip

    ask("CREATE TABLE Artifact (id INT PRIMARY KEY, uri TEXT, raw BLOB) ENGINE=InnoDB")
    ask("INSERT INTO Artifact VALUES (1, 'gs://b/ä', x'00FF27'), (2, NULL, NULL)")
    before = ask("SELECT id, uri, hex(raw) FROM Artifact ORDER BY id")
    done = place("backup", MYSQL_HOST="127.0.0.1")
    assert done.returncode == 0, done.stderr
    ask("DELETE FROM Artifact WHERE id = 1; CREATE TABLE Execution (id INT)")
    done = place("restore", MYSQL_HOST="127.0.0.1")
    assert done.returncode == 0, done.stderr
    assert ask("SELECT id, uri, hex(raw) FROM Artifact ORDER BY id") == before
