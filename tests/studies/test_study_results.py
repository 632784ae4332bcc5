"""Tables of the studies in the documents match the results of their runs."""

import json
import re

import pytest

import msg3d  # noqa: F401
from conftest import REPOSITORY
from studies.__main__ import STUDIES
from studies.network_scores import FUSIONS
from studies.networks import BUDGETS

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
def test_tables_match_results(name):
    text, runs = PLACES[name]
    block = rf"<!-- from: python -m studies {name} [^\n]+ -->\n\n(.*?)\n\n<!-- end -->"
    (shown,) = re.findall(block, text.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == STUDIES[name].report(json.loads(runs.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NETWORKS)
def test_settings_of_the_runs_exist(name):
    results = json.loads(PLACES[name][1].read_text(encoding="utf-8"))
    settings = STUDIES[name].settings()
    fused = {s.rsplit("/", 1)[0] + f"/{f}" for s in settings for f in FUSIONS}
    assert {r["setting"] for r in results} <= {*settings, *fused}
    runs = [(r["setting"], r["seed"]) for r in results]
    assert len(runs) == len(set(runs))
