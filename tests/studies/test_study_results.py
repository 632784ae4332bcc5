"""Tables of the studies in the documentation match the results of the runs."""

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
SOURCES = {  # study -> document, results
    "styles": (STYLES / "README.md", STYLES / "results.json"),
    **{
        name: (REPOSITORY / "docs" / "results.md", RESULTS / name / "results.json")
        for name in (
            *NETWORKS,
            "dropout",
            "recipe",
            "precision",
            "frame-rate",
            "few-shot",
            "fine-tuning",
        )
    },
}


@pytest.mark.parametrize("name", SOURCES)
def test_tables_match_results(name):
    document, runs = SOURCES[name]
    block = rf"<!-- from: python -m studies {name} [^\n]+ -->\n\n(.*?)\n\n<!-- end -->"
    (table,) = re.findall(block, document.read_text(encoding="utf-8"), re.DOTALL)
    assert table == STUDIES[name].report(json.loads(runs.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NETWORKS)
def test_settings_of_the_runs_exist(name):
    results = json.loads(SOURCES[name][1].read_text(encoding="utf-8"))
    settings = STUDIES[name].settings()
    prefixes = {setting.rsplit("/", 1)[0] for setting in settings}
    fused = {f"{prefix}/{fusion}" for prefix in prefixes for fusion in FUSIONS}
    assert {r["setting"] for r in results} <= {*settings, *fused}
    runs = [(r["setting"], r["seed"]) for r in results]
    assert len(runs) == len(set(runs))
