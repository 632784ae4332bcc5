"""Tables and numbers of the documentation match the results of the runs."""

import json

import pytest

import msg3d  # noqa: F401
from conftest import REPOSITORY
from studies import page
from studies.__main__ import STUDIES
from studies.network_scores import FUSIONS
from studies.networks import BUDGETS

NETWORKS = [
    name
    for name in ("networks", *BUDGETS)
    if (page.RESULTS / name).exists()  # otherwise not run yet
]
NAMES = [file.relative_to(REPOSITORY).as_posix() for file in page.documents()]
FOUR_STREAMS = "networks-strong, nw-ucla-xview/msg3d/four streams"


@pytest.mark.parametrize("name", NAMES)
def test_documents_match_results(name):
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert page.updated(text) == text, "run `make numbers`"


def test_all_results_are_in_the_documents():
    text = "".join((REPOSITORY / name).read_text(encoding="utf-8") for name in NAMES)
    for folder in {file.parent.name for file in page.RESULTS.glob("*/results.json")}:
        assert f"studies {folder} --table" in text or f"<!-- = {folder}, " in text
    for table in page.performance.TABLES:
        assert text.count(f"<!-- from: benchmarks/page.py {table} -->\n") == 1


@pytest.mark.parametrize(
    ("old", "source", "new"),
    [
        ("**1**", FOUR_STREAMS, "**94**"),
        ("0.00 ± 1.11", f"{FOUR_STREAMS}, unseen", "91.87"),
        ("1.0", "networks, sbu-fold/stgcn/joint+bone", "81.4 ± 1.7"),
        ("1", "networks, penn-action/msg3d/joint, runs", "5"),
        ("1", "networks, sbu-fold?/msg3d/joint, runs", "25"),
        ("1.0", "frame-rate, msg3d, stated.10", "66.9 ± 0.7"),
        ("1", "speed, msg3d/memory, peak_mib", "1,446"),
    ],
)
def test_numbers(old, source, new):
    text = "2 or {}<!-- = " + source + " --> or 3 <!-- a comment -->"
    assert page.updated(text.format(old)) == text.format(new)


def test_tables_and_metrics():
    text = "a\n<!-- from: python -m studies precision --table -->\n{}<!-- end -->\nb"
    updated = page.updated(text.format("\nold\n\n"))
    assert "| bfloat16    | 84.7 ± 0.4 | 3       |\n" in updated
    assert updated.startswith("a\n<!-- from")
    assert updated.endswith("|\n\n<!-- end -->\nb")
    assert page.updated(updated) == page.updated(text.format("")) == updated
    text = "[{{Metrics: {{Top 1 Accuracy: {}}}, Source: 'precision, bfloat16'}}]"
    expected = text.format("84.7, Top 1 Accuracy Std: 0.4, Seeds: 3")
    assert page.updated(text.format("1.0, Seeds: 1")) == expected


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("1.0<!-- = no-study, msg3d/joint -->", "no-study"),
        ("1.0<!-- = networks, no-setting -->", "no-setting"),
        (f"1.0<!-- = {FOUR_STREAMS}, no-key -->", "no-key"),
        (f"number<!-- = {FOUR_STREAMS} -->", FOUR_STREAMS),
        ("<!-- from: python -m studies no-study --table -->\n<!-- end -->", "no-study"),
        ("<!-- from: benchmarks/page.py no-table -->\n<!-- end -->", "no-table"),
        ("<!-- from: python -m studies precision --table -->\n", "precision"),
        ("Seeds: 1, Source: 'precision, bfloat16'", "bfloat16"),
    ],
)
def test_mistakes(text, cause):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        page.updated(text)
    assert cause in str(caught.value)


@pytest.mark.parametrize("number", ["1.0", "91.9", "word"])
def test_command(tmp_path, monkeypatch, capsys, number):
    file = tmp_path / "page.md"
    file.write_text(f"{number}<!-- = {FOUR_STREAMS}, unseen -->", encoding="utf-8")
    monkeypatch.setattr(page, "documents", lambda: [file])
    if number == "word":
        assert page.main(["--write"]) == 2
    elif number == "1.0":
        assert page.main([]) == 1
    assert (str(file) in capsys.readouterr().err) == (number != "91.9")
    if number != "word":
        assert page.main(["--write"]) == page.main([]) == 0
        assert file.read_text(encoding="utf-8").startswith("91.9<")


@pytest.mark.parametrize("name", NETWORKS)
def test_settings_of_the_runs_exist(name):
    results = json.loads(
        (page.RESULTS / name / "results.json").read_text(encoding="utf-8")
    )
    settings = STUDIES[name].settings()
    prefixes = {setting.rsplit("/", 1)[0] for setting in settings}
    fused = {f"{prefix}/{fusion}" for prefix in prefixes for fusion in FUSIONS}
    assert {r["setting"] for r in results} <= {*settings, *fused}
    runs = [(r["setting"], r["seed"]) for r in results]
    assert len(runs) == len(set(runs))
