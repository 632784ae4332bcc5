"""The site: every page in its place, links that lead somewhere, the gallery's pictures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import REPOSITORY, load_module
from docs_commands import documents
from msg3d.formats.base import all_formats

DOCS = REPOSITORY / "docs"


tool = load_module(REPOSITORY / "tools" / "build_site.py")
conf = load_module(DOCS / "conf.py")


def test_every_page_is_in_the_navigation():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = {file.stem for file in DOCS.glob("*.md")} - {"index"}
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.M | re.S)
    lines = [line for tree in trees for line in tree.splitlines() if line[0] != ":"]
    listed = [re.sub(r".*<(\w+)>", r"\1", line) for line in lines]
    assert sorted(listed) == sorted(pages)
    # And in the list that GitHub shows.
    assert set(re.findall(r"\]\((\w+)\.md\)", text)) == pages


def anchors(file: Path) -> set[str]:
    """Of headings, as GitHub makes them."""
    text = re.sub(
        r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", documents())
def test_links_lead_somewhere(document):
    file = REPOSITORY / document
    text = re.sub(
        r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = file.resolve().parent / path if path else file
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_links_of_other_folders_become_the_site_s():
    text = "[a](docs/data.md#nw-ucla) [b](configs/personality/README.md) [c](#x)"
    text += " ![d](docs/msg3d.svg) [e](https://f.org/g) [h](requirements/lock.txt)"
    assert conf.relinked(text, REPOSITORY) == (
        "[a](data.md#nw-ucla) [b](personality.md) [c](#x)"
        " ![d](msg3d.svg) [e](https://f.org/g) [h](../requirements/lock.txt)"
    )
    assert (
        conf.relinked("[a](../README.md#results)", DOCS) == "[a](overview.md#results)"
    )
    assert conf.relinked("[a](../SECURITY.md) [b](safety.md)", DOCS) == (
        "[a](https://github.com/msg3d/msg3d/blob/main/SECURITY.md) [b](safety.md)"
    )


def test_page_of_formats_lists_all():
    text = conf.with_formats((DOCS / "formats.md").read_text(encoding="utf-8"))
    for each in all_formats().values():
        assert f"| {each.title} |" in text
        assert f"`{each.name}`" in text
    assert "<!--" not in text


def test_docstrings_become_rst():
    lines = ["Takes **kwargs.", "", "    a = 1", "", "Args:", "    b: *c."]
    conf.as_rst(None, "class", "", None, None, lines)
    assert lines == [
        *(r"Takes \*\*kwargs.", "", "::", "", "    a = 1", ""),
        *("Args:", r"    b: \*c."),
    ]


@pytest.fixture
def trained(tmp_path):
    """A repository after its quickstart, whose gallery counts how often it is drawn."""
    for name in tool.NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gallery.md").write_text(
        "# G\n\n## H\n\n```shell\necho x >> drawn\n"
        "cp drawn g/a.png  # --output g/a.png\n```\n",
        encoding="utf-8",
    )
    return tmp_path


def test_gallery_is_drawn_once_a_network(trained, capfd):
    picture = trained / "g" / "a.png"
    tool.draw(trained)
    tool.draw(trained)
    assert picture.read_text(encoding="utf-8") == "x\n"
    os.utime(trained / tool.NEEDED[0], (picture.stat().st_mtime + 9,) * 2)
    tool.draw(trained)
    assert picture.read_text(encoding="utf-8") == "x\n" * 2
    assert capfd.readouterr().out.count("gallery: g/a.png") == 2


def test_gallery_without_a_quickstart(trained, capfd):
    (trained / tool.NEEDED[1]).unlink()
    tool.draw(trained)
    (line,) = capfd.readouterr().out.splitlines()
    assert tool.NEEDED[1] in line
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
    """Without a warning, and to be read without a network."""
    reason = "the site needs pip install .[dev]"
    for name in ("sphinx", "furo", "myst_parser"):
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
    assert "gallery: left without pictures" in done.stdout
    site = checkout / "site"
    for file in DOCS.glob("*.md"):
        page = (site / f"{file.stem}.html").read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img|iframe)[^>]*(src|href)="http', page)
    assert "Two commands" in (site / "overview.html").read_text(encoding="utf-8")
    assert "msg3d.Recognizer.predict" in (site / "api.html").read_text(encoding="utf-8")
    page = (site / "gallery.html").read_text(encoding="utf-8")
    assert 'src="_images/confusion.png"' in page
    assert "not drawn yet" in page
    assert '<iframe src="kick.html"' in page
    assert (site / "kick.html").is_file()
