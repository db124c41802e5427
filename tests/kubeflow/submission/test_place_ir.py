import hashlib

import pytest

from kubeflow.submission.place_ir import IrNotPlaced, place_ir

IR = b"compiled pipeline"
DIGEST = hashlib.sha256(IR).hexdigest()


def test_the_ir_lies_under_its_digest(tmp_path):
    path, copied = place_ir(IR, DIGEST, f"{tmp_path}/", "var/x.pb")
    assert (path, copied) == (f"{tmp_path}/ir/{DIGEST}.pb", True)
    assert (tmp_path / "ir" / f"{DIGEST}.pb").read_bytes() == IR
    assert [file.name for file in (tmp_path / "ir").iterdir()] == [f"{DIGEST}.pb"]
    assert place_ir(IR, DIGEST, str(tmp_path), "var/x.pb") == (path, False)


def test_a_broken_copy_is_replaced(tmp_path):
    path, _ = place_ir(IR, DIGEST, str(tmp_path), "var/x.pb")
    (tmp_path / "ir" / f"{DIGEST}.pb").write_bytes(IR[:4])
    assert place_ir(IR, DIGEST, str(tmp_path), "var/x.pb") == (path, True)


@pytest.mark.parametrize("root", ["/no/such/volume", "minio://bucket/root"])
def test_what_to_copy_where_is_said(root):
    with pytest.raises(IrNotPlaced) as error:
        place_ir(IR, DIGEST, root, "var/compiled/x.pb")
    assert "from var/compiled/x.pb" in str(error.value)
    assert f"{root}/ir/{DIGEST}.pb" in str(error.value)
    assert "--ir-in-place" in str(error.value)
