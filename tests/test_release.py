"""The version is equal in the package, the changelog, and the citation."""

import re

import yaml

from conftest import REPOSITORY
from msg3d import __version__


def test_version_in_the_changelog():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.M)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(
        rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1]
    )


def test_version_in_the_citation():
    text = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    citation = yaml.safe_load(text)
    assert str(citation["version"]) == __version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}] - {citation['date-released']}" in changelog
