"""Sphinx's settings: `make site` builds these pages.

The pages are plain Markdown, to be read on GitHub as well. What they cannot hold there
is put in while the site is made: the text of files that lie elsewhere, and the pictures
of the gallery, each below the command that draws it.
"""

import os
import re
from pathlib import Path

from pygments.lexers.special import TextLexer

import msg3d
from msg3d.formats.base import all_formats

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
FILES = "https://github.com/msg3d/msg3d/blob/main"
# Pages whose text is that of a file outside this folder.
ELSEWHERE = {
    "overview": REPOSITORY / "README.md",
    "personality": REPOSITORY / "configs" / "personality" / "README.md",
    "contributing": REPOSITORY / "CONTRIBUTING.md",
}

project = "msg3d"
copyright = "the msg3d authors, Apache-2.0"
version = release = msg3d.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3  # as GitHub makes them
default_role = "code"  # of docstrings, which are written as Markdown is
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say more: shapes and units
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"msg3d {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}
# Next to gallery.html, which shows them in frames.
html_extra_path = [
    os.path.relpath(page, DOCS)
    for page in sorted((REPOSITORY / "work_dirs" / "gallery").glob("*.html"))
]


def relinked(text: str, home: Path) -> str:
    """Relative links of a Markdown file in folder `home`, as links from this folder."""
    pages = {file.resolve(): f"{name}.md" for name, file in ELSEWHERE.items()}

    def link(found: re.Match) -> str:
        path, anchor = found[1], found[2] or ""
        target = (home / path).resolve()
        if target in pages:
            return f"]({pages[target]}{anchor})"
        if target.suffix == ".md" and not target.is_relative_to(DOCS):
            return f"]({FILES}/{target.relative_to(REPOSITORY).as_posix()}{anchor})"
        return f"]({os.path.relpath(target, DOCS)}{anchor})"

    return re.sub(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)", link, text)


def with_pictures(text: str) -> str:
    """The gallery: below every command what it has written, if it has."""
    missing = []

    def below(found: re.Match) -> str:
        (out,) = re.findall(r"--output (\S+)", found[0])
        if not (REPOSITORY / out).is_file():
            missing.append(out)
            return found[0]
        name = Path(out).name
        if name.endswith(".html"):
            shown = f'<iframe src="{name}" title="{name}" loading="lazy"></iframe>\n\n'
            shown += f'<a href="{name}">{name}</a>, alone in the window'
        else:
            shown = f"![{name}](../{out})"
        return f"{found[0]}\n\n{shown}\n"

    text = re.sub(r"^```shell\n.*?^```$", below, text, flags=re.M | re.S)
    if missing:
        note = (
            "> **These pictures are not drawn yet.** `make quickstart` trains the "
            "network, then `make site` draws them and puts them here.\n\n"
        )
        text = text.replace("\n## ", f"\n{note}## ", 1)
    return text


def with_picture(text: str) -> str:
    """The first page: one picture of the gallery, if it is drawn."""

    def there(found: re.Match) -> str:
        drawn = (REPOSITORY / found[1]).is_file()
        picture = f"[![A throw, as the network sees it](../{found[1]})](gallery.md)"
        return picture if drawn else ""

    return re.sub(r"^<!-- gallery: (\S+) -->$", there, text, flags=re.M)


def with_formats(text: str) -> str:
    """The page of file formats, with a table of them."""
    rows = ["| format | files | name |", "|---|---|---|"]
    for each in all_formats().values():
        files = ", ".join(f"`{suffix}`" for suffix in each.suffixes) or "a folder"
        rows.append(f"| {each.title} | {files} | `{each.name}` |")
    return text.replace("<!-- formats -->", "\n".join(rows))


def read(app, name: str, source: list[str]) -> None:
    file = ELSEWHERE.get(name)
    text = file.read_text(encoding="utf-8") if file else source[0]
    text = relinked(text, file.resolve().parent if file else DOCS)
    fill = {"gallery": with_pictures, "index": with_picture, "formats": with_formats}
    source[0] = fill[name](text) if name in fill else text


def as_rst(app, what, name, thing, options, lines: list[str]) -> None:
    """A docstring's prose in Sphinx's terms: code is indented, and a star is a star."""
    found = []
    for before, line in zip(["", *lines], lines, strict=False):
        starts = line.startswith("    ") and not before.strip() and found
        text = next((one for one in reversed(found) if one.strip()), "")
        if starts and text[:1].strip():  # after a paragraph that is not indented
            found += ["::", ""]
        # `**kwargs` begins no bold text.
        found.append(re.sub(r"(?<![\w`*\\])(\*{1,2}(?=\w))", _escaped, line))
    lines[:] = found


def _escaped(found: re.Match) -> str:
    return found[1].replace("*", r"\*")


def remember(app, env, added, changed, removed) -> list[str]:
    """These pages change without their own files."""
    return [*ELSEWHERE, "gallery", "index", "formats"]


def setup(app) -> None:
    app.add_lexer("csv", TextLexer)  # GitHub colours it, Pygments does not know it
    app.connect("source-read", read)
    # Before napoleon, which has a priority of 500.
    app.connect("autodoc-process-docstring", as_rst, priority=400)
    app.connect("env-get-outdated", remember)
