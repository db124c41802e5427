"""Fetches uv into a folder, with any Python 3 and nothing else: ``fetch_uv.py FOLDER``.

Neither pip nor venv is there everywhere: Debian and Ubuntu have packages of their own for them.
Where pip is there, it fetches the wheel, since it knows the machine's package index.
"""

import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from typing import Optional

VERSION = "0.13.9"
INDEX = "https://pypi.org/simple"


def main(folder: str) -> None:
    """Writes ``FOLDER/uv``."""
    tag = "manylinux_2_17_" + platform.machine()
    content = _by_pip() or _by_index(os.environ.get("PIP_INDEX_URL") or INDEX, tag)
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        name = next(one for one in wheel.namelist() if one.endswith("/scripts/uv"))
        program = wheel.read(name)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "uv")
    # Whole or not at all: another make may look for it meanwhile.
    with open(path + ".new", "wb") as file:
        file.write(program)
    os.chmod(path + ".new", 0o755)
    os.replace(path + ".new", path)


def _by_pip() -> Optional[bytes]:
    """The wheel's bytes, None where there is no pip."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], **_QUIET).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", folder, "uv==" + VERSION]
        if subprocess.run(command, **_QUIET).returncode:
            return None
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()


_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _by_index(index: str, tag: str) -> bytes:
    """The wheel's bytes, checked against the index's digest of it."""
    url = index.rstrip("/") + "/uv/"
    json_type = "application/vnd.pypi.simple.v1+json"
    request = urllib.request.Request(url, headers={"Accept": json_type})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    names = {one["filename"]: one for one in files}
    start = "uv-" + VERSION + "-"
    file = next(one for name, one in names.items() if name.startswith(start) and tag in name)
    with urllib.request.urlopen(urllib.parse.urljoin(url, file["url"]), timeout=600) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
        raise ValueError("the digest of " + file["filename"] + " is not the index's")
    return content


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:
        sys.exit("mtlx: uv %s cannot be fetched from the package index: %s" % (VERSION, error))
