"""Tests that text files are equal on all systems."""

import json

from msg3d.io.atomic import whole_file, write_json


def test_text_is_utf8_with_unix_line_ends(tmp_path, ascii_locale):
    with whole_file(tmp_path / "new" / "a.txt", "x") as file:
        file.write("Größe: 3 × 4\nend\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "Größe: 3 × 4\nend\n".encode()


def test_custom_encoding(tmp_path):
    with whole_file(tmp_path / "a.txt", "x", encoding="latin-1") as file:
        file.write("Größe")
    assert (tmp_path / "a.txt").read_bytes() == "Größe".encode("latin-1")


def test_bytes_are_not_modified(tmp_path):
    with whole_file(tmp_path / "a.bin") as file:
        file.write(b"a\r\nb\n")
    assert (tmp_path / "a.bin").read_bytes() == b"a\r\nb\n"


def test_json_has_unix_line_ends(tmp_path):
    write_json({"class": "naïve"}, tmp_path / "a.json")
    content = (tmp_path / "a.json").read_bytes()
    assert b"\r" not in content
    assert json.loads(content) == {"class": "naïve"}
