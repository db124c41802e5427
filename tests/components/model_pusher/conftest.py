"""Small folders that look like SavedModels; a push reads bytes, not what they mean."""

import pytest


@pytest.fixture
def make_model(tmp_path):
    """Writes a folder with the files of a SavedModel, of which the weights say which it is."""

    def function(name, size=1000):
        folder = tmp_path / "models" / name
        for file, content in {
            "saved_model.pb": b"graph",
            "fingerprint.pb": b"print",
            "variables/variables.index": b"index",
            "variables/variables.data-00000-of-00001": name.encode() * size,
            "assets/vocabulary": b"a\nb\n",
        }.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return str(folder)

    return function
