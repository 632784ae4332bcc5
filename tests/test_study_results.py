"""The tables of the studies are those of the runs that lie beside them."""

import json
import re
import sys

import pytest

import msg3d  # noqa: F401
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
from studies import networks, styles  # noqa: E402

RUNS = REPOSITORY / "docs" / "results" / "networks" / "results.json"
STYLES = REPOSITORY / "configs" / "personality"
TEXTS = [
    (networks, REPOSITORY / "docs" / "results.md", RUNS),
    (styles, STYLES / "README.md", STYLES / "results.json"),
]


@pytest.mark.parametrize("study, text, runs", TEXTS, ids=["networks", "styles"])
def test_tables_are_those_of_the_runs(study, text, runs):
    results = json.loads(runs.read_text())
    block = r"<!-- from: [^\n]+ -->\n\n(.*?)\n\n<!-- end -->"
    (shown,) = re.findall(block, text.read_text(), re.DOTALL)
    assert shown == study.report(results)


def test_runs_are_of_settings_there_are():
    results = json.loads(RUNS.read_text())
    fused = {
        one.rsplit("/", 1)[0] + f"/{f}"
        for one in networks.settings()
        for f in networks.FUSIONS
    }
    assert {r["setting"] for r in results} <= {*networks.settings(), *fused}
    runs = [(r["setting"], r["seed"]) for r in results]
    assert len(runs) == len(set(runs))
