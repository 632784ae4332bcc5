"""The tables of the studies are those of the runs that lie beside them."""

import json
import re
import sys

import pytest

import msg3d  # noqa: F401
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
from studies.command import STUDIES  # noqa: E402
from studies.network_budgets import BUDGETS  # noqa: E402

from studies.network_scores import FUSIONS  # noqa: E402

RESULTS = REPOSITORY / "docs" / "results"
STYLES = REPOSITORY / "configs" / "personality"
NETWORKS = ("networks", *(name for name in BUDGETS if name != "networks-whole"))
PLACES = {
    "styles": (STYLES / "README.md", STYLES / "results.json"),
    **{
        n: (REPOSITORY / "docs" / "results.md", RESULTS / n / "results.json")
        for n in NETWORKS
    },
}


@pytest.mark.parametrize("name", PLACES)
def test_tables_are_those_of_the_runs(name):
    text, runs = PLACES[name]
    block = (
        rf"<!-- from: python tools/study\.py {name} [^\n]+ -->\n\n(.*?)\n\n<!-- end -->"
    )
    (shown,) = re.findall(block, text.read_text(), re.DOTALL)
    assert shown == STUDIES[name].report(json.loads(runs.read_text()))


@pytest.mark.parametrize("name", NETWORKS)
def test_runs_are_of_settings_there_are(name):
    results = json.loads(PLACES[name][1].read_text())
    settings = STUDIES[name].settings()
    fused = {one.rsplit("/", 1)[0] + f"/{f}" for one in settings for f in FUSIONS}
    assert {r["setting"] for r in results} <= {*settings, *fused}
    runs = [(r["setting"], r["seed"]) for r in results]
    assert len(runs) == len(set(runs))
