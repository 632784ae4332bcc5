"""Sphinx configuration of the site that `make site` builds.

The pages are plain Markdown, which GitHub renders too. Before Sphinx parses a page, the
functions below replace what GitHub cannot render: sections of the start page become
cards and the navigation, `<!-- commands -->` becomes the help of every command, and the
notebook becomes Markdown with its outputs.
"""

import argparse
import json
import os
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pygments.lexers.special import TextLexer

import msg3d
from msg3d.cli.main import COMMANDS, make_parser
from msg3d.cli.options import add_common

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
FILES = "https://github.com/msg3d/msg3d/blob/main"
# Pages whose text is in a file outside this folder.
EXTERNAL_PAGES = {
    "personality": REPOSITORY / "configs" / "personality" / "README.md",
    "contributing": REPOSITORY / "CONTRIBUTING.md",
}

project = "msg3d"
copyright = "the msg3d authors, Apache-2.0"
version = release = msg3d.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
myst_heading_anchors = 3  # the same anchors as on GitHub
smartquotes = False  # they turn `--` of options into dashes
default_role = "code"  # docstrings are Markdown: single backticks mark code
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings give shapes and units
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Buttons on commands and Python, but not on output.
copybutton_selector = "div.highlight-shell pre, div.highlight-python pre"

html_theme = "furo"
html_title = f"msg3d {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}
# gallery.html shows these pages in frames.
html_extra_path = [
    os.path.relpath(page, DOCS)
    for page in sorted((REPOSITORY / "work_dirs" / "gallery").glob("*.html"))
]


def relink(text: str, folder: Path) -> str:
    """Rewrite the relative links of a Markdown file in `folder` for this folder."""
    pages = {file.resolve(): f"{name}.md" for name, file in EXTERNAL_PAGES.items()}

    def replace(match: re.Match) -> str:
        path, anchor = match[1], match[2] or ""
        target = (folder / path).resolve()
        if target in pages:
            return f"]({pages[target]}{anchor})"
        if target.suffix == ".md" and not target.is_relative_to(DOCS):
            return f"]({FILES}/{target.relative_to(REPOSITORY).as_posix()}{anchor})"
        return f"]({os.path.relpath(target, DOCS)}{anchor})"

    return re.sub(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)", replace, text)


def add_gallery(text: str) -> str:
    """Insert below each command of the gallery the file that it has written."""
    missing = []

    def replace(match: re.Match) -> str:
        (output,) = re.findall(r"--output (\S+)", match[0])
        if not (REPOSITORY / output).is_file():
            missing.append(output)
            return match[0]
        name = Path(output).name
        if name.endswith(".html"):
            figure = f'<iframe src="{name}" title="{name}" loading="lazy"></iframe>\n\n'
            figure += f'<a href="{name}">Open {name} alone</a>'
        else:
            figure = f"![{name}](../{output})"
        return f"{match[0]}\n\n{figure}\n"

    text = re.sub(r"^```shell\n.*?^```$", replace, text, flags=re.M | re.S)
    if missing:
        note = (
            "> **These figures are not drawn yet.** `make quickstart` trains the "
            "network, and then `make site` draws the figures.\n\n"
        )
        text = text.replace("\n## ", f"\n{note}## ", 1)
    return text


def navigation(text: str) -> dict[str, dict[str, str]]:
    """Return the pages of the start page: section -> page -> title."""
    sections = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        pages = re.findall(r"^- \[(.+?)\]\((\w+)\.\w+\)", body, re.M)
        sections[title] = {page: name for name, page in pages}
    return sections


def add_cards(text: str) -> str:
    """Turn each section of the start page into a card and a part of the navigation."""
    intro, *sections = re.split(r"^## ", text, flags=re.M)
    cards = ""
    for section in sections:
        title, _, body = section.partition("\n")
        cards += f"```{{grid-item-card}} {title}\n{body.strip()}\n```\n"
    trees = ""
    for title, pages in navigation(text).items():
        entries = "\n".join(f"{name} <{page}>" for page, name in pages.items())
        trees += f"```{{toctree}}\n:hidden:\n:caption: {title}\n{entries}\n```\n\n"
    grid = f"````{{grid}} 1 1 2 2\n:gutter: 3\n\n{cards}````\n\n"
    return intro + grid + trees


def add_commands(text: str) -> str:
    """Insert the help of every command."""
    lines: list[str] = []
    epilogs: set[str | None] = {None}
    for name in COMMANDS:
        # Only the named command has its arguments.
        parser = _subparsers(make_parser(name))[name]
        lines += _describe(parser, 2, epilogs)
    return text.replace("<!-- commands -->", "\n".join(lines))


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _describe(
    parser: argparse.ArgumentParser, level: int, epilogs: set[str | None]
) -> Iterator[str]:
    """Describe a parser and its subparsers in Markdown.

    Args:
        level: level of the heading.
        epilogs: epilogs of the previous parsers, which are not repeated.
    """
    yield f"{'#' * level} {parser.prog}\n"
    yield _markdown(parser.description or "")
    common = argparse.ArgumentParser()
    add_common(common)
    omitted = {option for action in common._actions for option in action.option_strings}
    arguments = [
        action
        for action in parser._actions
        if action.help != argparse.SUPPRESS and not omitted & {*action.option_strings}
    ]
    formatter = parser._get_formatter()
    shown = [a for a in arguments if a.required or not a.option_strings]
    formatter.add_usage(parser.usage, shown, [])
    yield f"```text\n{formatter.format_help().removeprefix('usage: ').strip()}\n```\n"
    rows = [
        _row(action, parser._get_formatter())
        for action in arguments
        if not isinstance(action, argparse._SubParsersAction)
    ]
    if rows:
        yield "\n".join(["| argument | meaning |", "|---|---|", *rows, ""])
    if parser.epilog not in epilogs:
        epilogs.add(parser.epilog)
        yield _markdown(parser.epilog or "")
    for subparser in _subparsers(parser).values():
        yield from _describe(subparser, level + 1, epilogs)


def _row(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    # The last name is the long one: `-l X, --launcher X` becomes `-l, --launcher X`.
    *short, _ = action.option_strings or [""]
    invocation = formatter._format_action_invocation(action).split(", -")[-1]
    if short:
        invocation = f"{', '.join(short)}, -{invocation}"
    meaning = formatter._expand_help(action) if action.help else ""
    meaning = " ".join(meaning.split()).replace("|", r"\|")
    return f"| `{invocation}` | {meaning} |"


def _markdown(text: str) -> str:
    """Convert help text to Markdown: indented lines become a code block."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        prose, code = [], []
        for line in paragraph.splitlines():
            (code if line.startswith("  ") else prose).append(line)
        parts.append("\n".join(prose))
        if code:
            block = textwrap.dedent("\n".join(code))
            parts.append(f"```shell\n{block}\n```")
    return "\n\n".join(filter(None, parts)) + "\n"


def notebook_text(text: str) -> str:
    """Convert a notebook and its stored outputs to Markdown."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        for is_command, lines in groupby(source.splitlines(), _is_command):
            language = "shell" if is_command else "python"
            parts.append("\n".join([f"```{language}", *lines, "```"]))
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                image = "".join(data["image/png"]).replace("\n", "")
                parts.append(f'<img src="data:image/png;base64,{image}" alt="figure">')
            else:
                printed = "".join(output.get("text", data.get("text/plain", "")))
                printed = printed.replace("\r\n", "\n").rstrip()
                parts.append(f"```text\n{printed}\n```")
    return "\n\n".join(parts) + "\n"


def _is_command(line: str) -> bool:
    """Return whether a line of a notebook calls the shell, which is not Python."""
    return re.match(r"(\w+ = )?!", line) is not None


FILL = {
    "commands": add_commands,
    "gallery": add_gallery,
    "index": add_cards,
}


def read(app, name: str, source: list[str]) -> None:
    """Replace the source of a page before it is parsed."""
    file = EXTERNAL_PAGES.get(name)
    text = file.read_text(encoding="utf-8") if file else source[0]
    if (DOCS / f"{name}.ipynb").is_file():
        text = notebook_text(text)
    text = relink(text, file.resolve().parent if file else DOCS)
    source[0] = FILL[name](text) if name in FILL else text


def convert_docstring(app, what, name, thing, options, lines: list[str]) -> None:
    """Convert a Markdown docstring to reStructuredText in place."""
    converted = []
    for previous, line in zip(["", *lines], lines, strict=False):
        starts_block = line.startswith("    ") and not previous.strip() and converted
        paragraph = next((text for text in reversed(converted) if text.strip()), "")
        if starts_block and paragraph[:1].strip():  # the paragraph is not indented
            converted += ["::", ""]
        # In reStructuredText, `**kwargs` would start bold text.
        converted.append(re.sub(r"(?<![\w`*\\])(\*{1,2}(?=\w))", _escape_stars, line))
    lines[:] = converted


def _escape_stars(match: re.Match) -> str:
    return match[1].replace("*", r"\*")


def outdated_pages(app, env, added, changed, removed) -> list[str]:
    """Return the pages that depend on more than their own file."""
    return [*EXTERNAL_PAGES, *FILL]


def setup(app) -> None:
    app.add_lexer("csv", TextLexer)  # known to GitHub, but not to Pygments
    app.connect("source-read", read)
    # Before napoleon, whose priority is 500.
    app.connect("autodoc-process-docstring", convert_docstring, priority=400)
    app.connect("env-get-outdated", outdated_pages)
