import hashlib
from types import SimpleNamespace

import pytest

from mtlx.kubeflow.submission.place_ir import IrNotPlaced, place_ir

IR = b"compiled pipeline"
DIGEST = hashlib.sha256(IR).hexdigest()


def package(root):
    path = f"{root}/ir/{DIGEST}.pb"
    return SimpleNamespace(ir=IR, ir_digest=DIGEST, ir_path=path, pipeline_root=root)


def test_the_ir_lies_under_its_digest(tmp_path):
    assert place_ir(package(str(tmp_path)), "var/x.pb")
    assert (tmp_path / "ir" / f"{DIGEST}.pb").read_bytes() == IR
    assert [file.name for file in (tmp_path / "ir").iterdir()] == [f"{DIGEST}.pb"]
    assert not place_ir(package(str(tmp_path)), "var/x.pb")


def test_a_broken_copy_is_replaced(tmp_path):
    assert place_ir(package(str(tmp_path)), "var/x.pb")
    (tmp_path / "ir" / f"{DIGEST}.pb").write_bytes(IR[:4])
    assert place_ir(package(str(tmp_path)), "var/x.pb")
    assert (tmp_path / "ir" / f"{DIGEST}.pb").read_bytes() == IR


@pytest.mark.parametrize("root", ["/no/such/volume", "minio://bucket/root"])
def test_what_to_copy_where_is_said(root):
    with pytest.raises(IrNotPlaced) as error:
        place_ir(package(root), "var/compiled/x.pb")
    assert "from var/compiled/x.pb" in str(error.value)
    assert f"{root}/ir/{DIGEST}.pb" in str(error.value)
    assert "--ir-in-place" in str(error.value)


def test_a_new_volume_takes_the_first_pipeline_root(tmp_path, monkeypatch):
    monkeypatch.setattr("os.path.ismount", lambda path: path == str(tmp_path))
    assert place_ir(package(f"{tmp_path}/shop/daily"), "var/x.pb")
    assert (tmp_path / "shop/daily/ir" / f"{DIGEST}.pb").read_bytes() == IR


def test_a_folder_that_is_no_volume_is_not_made(tmp_path):
    with pytest.raises(IrNotPlaced):
        place_ir(package(f"{tmp_path}/shop"), "var/x.pb")
    assert not (tmp_path / "shop").exists()
