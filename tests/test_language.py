"""Style of the text: titles are titles, and names say what they hold.

codespell checks the spelling in `make lint`.
"""

import re
from pathlib import Path

import pytest

from conftest import REPOSITORY

FOLDERS = ".github benchmarks configs docs models projects studies tests tools"
SUFFIXES = {".cfg", ".html", ".md", ".py", ".sh", ".toml", ".yml"}
UNIT = "(?:sample|frame|second|minute|file|clip|stream|person|joint|epoch|step|row)"
AMOUNT = "(?:samples?|frames?|files?|clips?|seconds?|ms|MB|rows?|labels?|times?)"
QUESTION = "(?:What|Whether|How|That|Who|Whom|Which|Where|When)"
NAME = "a name that says what it is, such as sample or match"

# Replacement -> pattern of the text to replace.
STYLE = {
    "a noun phrase or an imperative": rf'^\s*(?:r?"""|#+ ){QUESTION}\b(?! (?:it works|did not help))',
    "per": rf"\b{AMOUNT} an? {UNIT}\b",
    "no person, a person, all persons": r"(?i)\b(?:no|every)body\b",
    "fix or estimate": r"\b(?:mend(?:s|ed|ing)?|reckon\w*)\b",
    "resume or continue": r"\b(?:go|goes|went|gone|going) on with\b",
    "a plain statement": r"\b(?:is|are) none\b|\bto be had\b|\bfrom strangers\b",
    f"{NAME} (loop)": r"\bfor one in\b",
    f"{NAME} (variable)": r"^\s*(?:found|said|whole|given) = ",
}


@pytest.fixture(scope="module")
def text() -> list[tuple[str, str]]:
    """Return (place, line) of all text of the repository but this file."""
    files = [*REPOSITORY.glob("*.md")]
    for folder in FOLDERS.split():
        files += sorted((REPOSITORY / folder).rglob("*"))
    return [
        (f"{path.relative_to(REPOSITORY)}:{number}", line)
        for path in files
        if path.suffix in SUFFIXES and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


@pytest.mark.parametrize("instead", STYLE)
def test_style(text, instead):
    slips = [
        f"{place}: {line.strip()}"
        for place, line in text
        if re.search(STYLE[instead], line)
    ]
    assert not slips, f"write {instead}:\n" + "\n".join(slips)
