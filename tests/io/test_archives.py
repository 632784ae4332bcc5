"""Tests of the names of raw files, which converters split at `/`."""

import os
import zipfile

import pytest

from msg3d.io.archives import list_files


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/../raw", "."])
def test_names_of_files_in_nested_folders(tmp_path, monkeypatch, spelling):
    raw = tmp_path / "raw"
    (raw / "train" / "wave").mkdir(parents=True)
    (raw / "train" / "wave" / "a.csv").write_bytes(b"1")
    (raw / "train" / "notes.txt").write_bytes(b"1")
    with zipfile.ZipFile(raw / "train" / "more.zip", "w") as archive:
        archive.writestr("bow/b.csv", "1")
    monkeypatch.chdir(raw)
    files, others = list_files(spelling.format(raw), ".csv")
    assert [file.name for file in files] == [
        "train/more.zip/bow/b.csv",
        "train/wave/a.csv",
    ]
    assert others == ["train/notes.txt"]
    assert all(os.path.isfile(file.path) for file in files)  # noqa: PTH113
