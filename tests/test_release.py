"""The version is the same in the package, the changelog, and the citation."""

import re

import yaml

from conftest import REPOSITORY
from msg3d import __version__


def test_changelog_has_a_section_for_the_version():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.M)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(
        rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1]
    )


def test_citation_is_of_the_version():
    text = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    citation = yaml.safe_load(text)
    assert str(citation["version"]) == __version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}] - {citation['date-released']}" in changelog
