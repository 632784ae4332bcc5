"""The site: navigation, links, generated parts, and the figures of the gallery."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import REPOSITORY, load_module
from docs_commands import documents
from msg3d.cli.main import COMMANDS

DOCS = REPOSITORY / "docs"


tool = load_module(REPOSITORY / "tools" / "build_site.py")
conf = load_module(DOCS / "conf.py")


def page_names() -> set[str]:
    return {file.stem for file in DOCS.iterdir() if file.suffix in (".md", ".ipynb")}


def test_every_page_is_in_the_navigation():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = [page for pages in conf.navigation(text).values() for page in pages]
    assert sorted(listed) == sorted(page_names() - {"index"})


def test_start_page_has_a_card_and_a_toctree_per_section():
    text = "# T\n\nA.\n\n## S\n\n- [P](p.md): b\n- [Q](q.ipynb): c\n"
    cards = conf.add_cards(text)
    assert "{grid-item-card} S\n- [P](p.md): b\n- [Q](q.ipynb): c\n```" in cards
    assert ":caption: S\nP <p>\nQ <q>\n```" in cards


def anchors(file: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub defines them."""
    text = re.sub(
        r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", documents())
def test_links_have_targets(document):
    file = REPOSITORY / document
    text = re.sub(
        r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = file.resolve().parent / path if path else file
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_links_of_other_folders_are_rewritten():
    text = "[a](docs/data.md#nw-ucla) [b](configs/personality/README.md) [c](#x)"
    text += " ![d](docs/msg3d.svg) [e](https://f.org/g) [h](requirements/lock.txt)"
    assert conf.relink(text, REPOSITORY) == (
        "[a](data.md#nw-ucla) [b](personality.md) [c](#x)"
        " ![d](msg3d.svg) [e](https://f.org/g) [h](../requirements/lock.txt)"
    )
    assert conf.relink("[a](../SECURITY.md) [b](safety.md)", DOCS) == (
        "[a](https://github.com/msg3d/msg3d/blob/main/SECURITY.md) [b](safety.md)"
    )


def test_commands_are_complete():
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    text = conf.add_commands(page)
    assert "<!--" not in text
    for command in COMMANDS:
        assert f"`msg3d {command}" in page
        assert f"\n## msg3d {command}\n" in text
    assert "\n### msg3d prepare ntu\n" in text
    assert "| `-l, --launcher {none,pytorch,slurm,mpi}` |" in text
    assert "--debug" not in text.partition("\n## msg3d ")[2]


def test_notebook_becomes_markdown():
    image = {"output_type": "display_data", "data": {"image/png": "QUJD\n"}}
    printed = {"output_type": "stream", "name": "stdout", "text": ["b\n"]}
    cells = [
        {"cell_type": "markdown", "source": ["# T\n", "t"]},
        {"cell_type": "code", "source": ["a"], "outputs": [printed, image]},
    ]
    text = conf.notebook_text(json.dumps({"cells": cells}))
    assert text.startswith("# T\nt\n\n```python\na\n```\n\n```text\nb\n```\n\n<img")
    assert "base64,QUJD" in text


def test_docstrings_become_rst():
    lines = ["Takes **kwargs.", "", "    a = 1", "", "Args:", "    b: *c."]
    conf.convert_docstring(None, "class", "", None, None, lines)
    assert lines == [
        *(r"Takes \*\*kwargs.", "", "::", "", "    a = 1", ""),
        *("Args:", r"    b: \*c."),
    ]


@pytest.fixture
def trained(tmp_path):
    """A repository after its quickstart, whose gallery counts how often it is drawn."""
    for name in tool.REQUIRED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gallery.md").write_text(
        "# G\n\n## H\n\n```shell\necho x >> drawn\n"
        "cp drawn g/a.png  # --output g/a.png\n```\n",
        encoding="utf-8",
    )
    return tmp_path


def test_gallery_is_drawn_once_per_network(trained, capfd):
    picture = trained / "g" / "a.png"
    tool.draw(trained)
    tool.draw(trained)
    assert picture.read_text(encoding="utf-8") == "x\n"
    os.utime(trained / tool.REQUIRED[0], (picture.stat().st_mtime + 9,) * 2)
    tool.draw(trained)
    assert picture.read_text(encoding="utf-8") == "x\n" * 2
    assert capfd.readouterr().out.count("gallery: g/a.png") == 2


def test_gallery_without_a_quickstart(trained, capfd):
    (trained / tool.REQUIRED[1]).unlink()
    tool.draw(trained)
    (line,) = capfd.readouterr().out.splitlines()
    assert tool.REQUIRED[1] in line
    assert "`make quickstart`" in line
    assert not (trained / "g").exists()


def test_failing_command_of_the_gallery(trained):
    page = trained / "docs" / "gallery.md"
    page.write_text("```shell\nfalse --output g/a.png\n```\n", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        tool.draw(trained)
    assert "false --output g/a.png" in str(caught.value)
    page.write_text("```shell\ntrue\n```\n", encoding="utf-8")
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (no test checks wording)
        tool.draw(trained)
    assert "gallery.md" in str(caught.value)


def test_site_is_built(checkout):
    """Without warnings, and without files of other hosts."""
    reason = "the site requires pip install .[dev]"
    for name in tool.PACKAGES:
        pytest.importorskip(name, reason=reason)
    gallery = checkout / "work_dirs" / "gallery"
    gallery.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(gallery / "confusion.png")
    (gallery / "kick.html").write_text("<p>kick", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "tools/build_site.py", "--out", "site"],
        cwd=checkout,
        env=dict(os.environ, PYTHONPATH=str(checkout / "projects")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "gallery: no figures" in done.stdout
    site = checkout / "site"
    for name in page_names():
        page = (site / f"{name}.html").read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img|iframe)[^>]*(src|href)="http', page)
    for name, text in {
        "api": "msg3d.Recognizer.predict",
        "commands": "msg3d prepare ntu",
        "config_reference": "msg3d.models.MSG3D",
        "contributing": "tool.importlinter",
        "index": "sd-card",
        "tutorial": "data:image/png;base64",
    }.items():
        assert text in (site / f"{name}.html").read_text(encoding="utf-8")
    page = (site / "gallery.html").read_text(encoding="utf-8")
    assert 'src="_images/confusion.png"' in page
    assert "not drawn yet" in page
    assert '<iframe src="kick.html"' in page
    assert (site / "kick.html").is_file()
