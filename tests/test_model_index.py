"""The model index matches the configs, and every table matches the index."""

import sys
from pathlib import Path

import mmaction
import modelindex.load_model_index
import pytest
import yaml

from conftest import REPOSITORY
from errors import raises

sys.path.insert(0, str(REPOSITORY / "tools"))
import model_table
from model_index import cards, metafiles, tables

from msg3d.checkpoints.shipped import card_of, shipped_weights

METAFILES = metafiles.metafiles()
LABAN = "stgcn-16c_1xb16-laban-d24-4e_bandai-styles-xcontent-keypoint-3d"
SBU = "stgcn_1xb16-joint-r32-60e_sbu-fold1-keypoint-3d"


@pytest.fixture(scope="module")
def index():
    return [metafiles.read(path) for path in METAFILES]


@pytest.fixture(scope="module")
def models(index):
    return {model["Name"]: model for content in index for model in content["Models"]}


def test_each_config_has_one_entry(index):
    """`test_configs.py` compares each entry with what its config contains."""
    folders = metafiles.REPOSITORY.glob("configs/[!_]*/*.py")
    assert {path.parent / "metafile.yml" for path in folders} == set(METAFILES)
    for path, content in zip(METAFILES, index, strict=True):
        configs = metafiles.leaves(path)
        assert [model["Name"] for model in content["Models"]] == [
            config.stem for config in configs
        ]
        for config, model in zip(configs, content["Models"], strict=True):
            name, about = metafiles.parse_name(config.stem), model["Metadata"]
            assert metafiles.REPOSITORY / model["Config"] == config
            assert about["Training Data"] == name["data"]
            assert about["Epochs"] == int(name["epochs"])
            assert about["Batch Size"] == int(name["batch"])


@pytest.mark.parametrize("name", [SBU, LABAN])
def test_derived_entry(models, name):
    config = metafiles.REPOSITORY / models[name]["Config"]
    collections = metafiles.read(config.parent / "metafile.yml")["Collections"]
    derived = metafiles.entry(config, collections)
    assert derived == {key: models[name][key] for key in derived}


def test_costs_match_upstream(models):
    """Parameters match the authors' networks, and FLOPs match MMAction2's metafiles.

    MMAction2 reports multiply-adds as FLOPs. Compared are networks that we compute in
    the same order.
    """
    for name, parameters in {
        "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d": 3_194_595,
        "msg3d_4xb32-joint-p300-65e_kinetics-openpose-keypoint-2d": 3_144_328,
        "2s-agcn_1xb64-joint-p300-50e_ntu60-xsub-keypoint-3d": 3_469_510,
    }.items():
        assert models[name]["Metadata"]["Parameters"] == parameters
    for upstream in upstream_models("stgcn"):
        about = models[upstream["Name"]]["Metadata"]
        assert f"{about['FLOPs'] / 2e9:.1f}G" == upstream["Metadata"]["FLOPs"]
        assert f"{about['Parameters'] / 1e6:.1f}M" == upstream["Metadata"]["Parameters"]


def upstream_models(folder):
    """Return the models in a folder of MMAction2's own index."""
    root = Path(mmaction.__path__[0], ".mim", "configs", "skeleton")
    return yaml.safe_load((root / folder / "metafile.yml").read_text(encoding="utf-8"))[
        "Models"
    ]


def test_files_match_the_index(index):
    for path, content in zip(METAFILES, index, strict=True):
        text = path.read_text(encoding="utf-8")
        assert metafiles.with_models(text, content["Models"]) == text
    text = (REPOSITORY / "docs/models.md").read_text(encoding="utf-8")
    expected = tables.with_table(text, tables.document(index))
    weights = cards.table({name: card_of(name) for name in shipped_weights()})
    expected = tables.with_table(expected, weights, cards.BEGIN)
    assert text == expected, "run tools/model_table.py"


def test_modelindex_reports_no_error(models):
    loaded = modelindex.load_model_index.load(str(metafiles.INDEX))
    assert loaded.check(silent=True) == []
    assert {model.name for model in loaded.models} == set(models)


def test_published_results_have_source_and_recipe(index):
    for content in index:
        for collection in content["Collections"]:
            rows = tables.groups(collection, content["Models"])
            recipes = {(data, recipe) for (data, _, recipe), _ in rows}
            for figure in collection["Published"]:
                assert set(figure["Streams"].split("+")) <= set(tables.STREAMS)
                assert "Recipe" in figure or "Note" in figure
                if "Recipe" in figure:
                    assert (figure["Training Data"], figure["Recipe"]) in recipes
            sources = {figure["Source"] for figure in collection["Published"]}
            assert sources == set(collection["Sources"])


@pytest.mark.parametrize(
    ("folder", "name"), [("stgcn", "ST-GCN"), ("2s-agcn", "2s-AGCN")]
)
def test_results_of_mmaction2_match_its_metafiles(index, folder, name):
    collections = [c for content in index for c in content["Collections"]]
    (collection,) = (c for c in collections if c["Name"] == name)
    ours = {
        (figure["Training Data"], figure["Streams"]): figure["Metrics"]
        for figure in collection["Published"]
        if figure["Source"] == "MMAction2" and "+" not in figure["Streams"]
    }
    theirs = {
        (
            model["Results"]["Dataset"],
            metafiles.parse_name(model["Name"])["stream"],
        ): model["Results"]["Metrics"]
        for model in upstream_models(folder)
    }
    assert ours == theirs


METAFILE = """\
# A comment.
Collections:
- Name: ST-GCN
  Metadata: {Architecture: [PartitionSTGCN]}
  Paper: {Title: T, URL: P}
  Sources: {S: {Title: t, URL: u}}
  Published:
  - {Training Data: SBU-Fold1-3D, Recipe: r32-60e, Streams: joint, Metrics: {Top 1 Accuracy: 8.1}, Source: S}
  - {Training Data: SBU-Fold1-3D, Recipe: r32-60e, Streams: joint+bone, Metrics: {Top 1 Accuracy: 9.0}, Source: S, Note: n}
  - {Training Data: SBU-Fold1-3D, Recipe: u9-60e, Streams: joint, Metrics: {Top 1 Accuracy: 7.0}, Source: S}
Models:
"""
RESULTS = """\
  Results: [{Dataset: SBU-Fold1-3D, Metrics: {Top 1 Accuracy: 80.5, Top 1 Accuracy Std: 0.4, Seeds: 5}}]
  Weights: https://example.org/w.pth
"""


def test_command(monkeypatch, tmp_path, capsys):
    """The command updates entries and tables, and keeps what is written by hand."""
    config = metafiles.REPOSITORY / "configs/stgcn" / f"{SBU}.py"
    path, document = tmp_path / "metafile.yml", tmp_path / "docs" / "models.md"
    path.write_text(
        f"{METAFILE}- Name: {SBU}\n{RESULTS}- Name: gone\n", encoding="utf-8"
    )
    document.parent.mkdir()
    text = "".join(
        f"head\n{begin}\nold\n{tables.END}\n" for begin in (cards.BEGIN, tables.BEGIN)
    )
    document.write_text(text, encoding="utf-8")
    monkeypatch.setattr(metafiles, "REPOSITORY", tmp_path)
    monkeypatch.setattr(metafiles, "metafiles", lambda: [path])
    monkeypatch.setattr(metafiles, "leaves", lambda path: [config])

    monkeypatch.setattr(sys, "argv", ["model_table.py"])
    assert model_table.main() == 1
    assert "metafile.yml" in capsys.readouterr().err
    assert "old" in document.read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["model_table.py", "--write"])
    assert model_table.main() == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"{METAFILE}- Name: {SBU}\n")
    assert text.endswith(RESULTS)
    lines = document.read_text(encoding="utf-8").splitlines()
    link = f"(../configs/stgcn/{SBU}.py)"
    for line in (
        f"| SBU-Fold1-3D | `r32-60e`: [j]{link} | 2×32×15×3, 10 clips | 1×16 "
        "| 3.07 M, 1.07 |",
        f"| SBU-Fold1-3D | [`r32-60e`]{link} | joint | **80.5** ± 0.4 | 5 runs |",
        "| SBU-Fold1-3D | `r32-60e`, S | 8.1 | 9.0† |",
        "| SBU-Fold1-3D | `u9-60e`, S | 7.0 |  |",
        "- † SBU-Fold1-3D 2s (S): n",
        "- S: [t](u)",
    ):
        assert line in lines
    monkeypatch.setattr(sys, "argv", ["model_table.py"])
    assert model_table.main() == 0

    path.write_text(f"{METAFILE}- Name: gone\n{RESULTS}", encoding="utf-8")
    assert model_table.main() == 1
    with raises("unknown-name", file="metafile.yml", field="gone"):
        metafiles.renewed(path)


def test_errors():
    with raises("file-name", file="msg3d_joint"):
        metafiles.parse_name("msg3d_joint")
    config = metafiles.leaves(METAFILES[-1])[0]
    collections = [{"Name": "MS-G3D", "Metadata": {"Architecture": ["MSG3D"]}}]
    with raises("unknown-name", field="backbone"):
        metafiles.entry(config, collections)
    for text in ("no markers", f"{tables.END}\n{tables.BEGIN}\n"):
        with raises("structure"):
            tables.with_table(text, "table")
