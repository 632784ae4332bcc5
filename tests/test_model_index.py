"""The model index says what the configs say, and every table what the index says."""

import json
import os
import subprocess
import sys
from statistics import mean, stdev

import mmaction
import modelindex.load_model_index
import pytest
import yaml
from mmengine.config import Config

from conftest import REPOSITORY
from errors import raises

sys.path.insert(0, str(REPOSITORY / "tools"))
import model_table  # noqa: E402
from model_index import groups, metafiles, tables  # noqa: E402
from model_index.describe import Costs, bases_looked_up_once, parse_name  # noqa: E402

METAFILES = metafiles.metafiles()
RUN = f"run `{metafiles.COMMAND}`"
COSTS = ("Parameters", "FLOPs")


@pytest.fixture(scope="module")
def index():
    return [metafiles.read(path) for path in METAFILES]


@pytest.fixture(scope="module")
def models(index):
    return {model["Name"]: model for content in index for model in content["Models"]}


def test_every_config_is_in_exactly_one_metafile(index):
    listed = [model["Config"] for content in index for model in content["Models"]]
    configs = {
        path.relative_to(metafiles.PACKAGE).as_posix() for path in metafiles.leaves()
    }
    assert len(listed) == len(set(listed))
    assert set(listed) - configs == set(), f"no such configs: {RUN}"
    assert configs - set(listed) == set(), f"configs without an entry: {RUN}"


@pytest.mark.parametrize("path", METAFILES, ids=lambda path: path.parent.name)
def test_metafile_says_what_the_configs_say(path):
    stale = {model["Name"]: model for model in metafiles.read(path)["Models"]}
    for model in metafiles.renewed(path)["Models"]:
        listed = dict(stale[model["Name"]])
        listed["Metadata"] = {
            key: value for key, value in listed["Metadata"].items() if key not in COSTS
        }
        assert listed == model, f"{path} is out of date: {RUN}"


def test_names_say_what_the_configs_say(models):
    for name, model in models.items():
        parts, about = parse_name(name), model["Metadata"]
        batch = int(parts["batch"])
        assert batch == about["Batch Size"], name
        # The quickstart alone is trained at a rate scaled down to its one GPU.
        if "synthetic" not in name:
            assert int(parts["gpus"]) * batch == about["Base Batch Size"], name
        assert int(parts["epochs"]) == about["Epochs"], name
        assert parts["stream"] == about["Stream"], name
        data = f"{parts['data']}-{parts['dimensions']}"
        assert data == about["Training Data"].lower(), name


@pytest.mark.parametrize(
    "name",
    [
        "msg3d_8xb16-bone-u100-80e_ntu60-xview-keypoint-2d",
        "2s-agcn_1xb16-joint-r32-60e_sbu-fold1-keypoint-3d",
        "stgcn-16c_1xb16-laban-d24-4e_bandai-styles-xcontent-keypoint-3d",
    ],
)
def test_costs_counted_anew(models, name):
    about = models[name]["Metadata"]
    cfg = Config.fromfile(metafiles.PACKAGE / models[name]["Config"])
    assert Costs().of(cfg) == {key: about[key] for key in COSTS}, RUN


def test_costs_are_those_that_others_count(models):
    """Parameters of the authors' networks; FLOPs of MMAction2's metafiles, which name
    multiply-adds so, of the networks that we compute in the same order."""
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
    """The models of a folder of MMAction2's own index."""
    root = os.path.join(mmaction.__path__[0], ".mim", "configs", "skeleton")
    with open(os.path.join(root, folder, "metafile.yml")) as file:
        return yaml.safe_load(file)["Models"]


def test_files_are_what_the_index_says(index):
    for path, content in zip(METAFILES, index):
        assert metafiles.text(content) == path.read_text(), f"{path}: {RUN}"
    assert metafiles.INDEX.read_text() == metafiles.index_text(), RUN
    document = (REPOSITORY / "docs" / "models.md").read_text()
    assert document == tables.document(index), f"docs/models.md is out of date: {RUN}"
    readme = (REPOSITORY / "README.md").read_text()
    newer = tables.with_table(readme, tables.readme(index))
    assert readme == newer, f"README.md is out of date: {RUN}"


def test_modelindex_finds_no_fault(models):
    loaded = modelindex.load_model_index.load(str(metafiles.INDEX))
    assert loaded.check(silent=True) == []
    assert {model.name for model in loaded.models} == set(models)


def test_mim_searches_what_is_installed(checkout, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.check_call(
        [*pip, "--no-build-isolation", "--target", str(target), str(checkout)]
    )
    code = (
        "import json, sys; from mim.commands.search import get_model_info as search; "
        "every = search('msg3d', to_dict=True); "
        "some = search('msg3d', models=['ms-g3d'], training_datasets=['NTU60-XSub-2D'],"
        " filter_conditions='parameters<3000000', to_dict=True); "
        "import msg3d; json.dump([msg3d.__file__, every, some], sys.stdout)"
    )
    out = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        text=True,
    )
    package, every, some = json.loads(out)
    assert package == str(target / "msg3d" / "__init__.py")
    configs = (checkout / "projects" / "msg3d").glob("configs/[!_]*/*.py")
    assert set(every) == {path.stem for path in configs}
    for model in every.values():
        assert (target / "msg3d" / model["config"]).is_file()
    streams = ("joint", "bone", "joint-motion", "bone-motion")
    assert set(some) == {
        f"msg3d_8xb16-{stream}-u100-80e_ntu60-xsub-keypoint-2d" for stream in streams
    }


def test_published_figures_have_source_and_recipe(index):
    for content in index:
        for collection in content["Collections"]:
            rows = groups.groups(collection, content["Models"])
            recipes = {(row.data, row.recipe) for row in rows}
            used = set()
            for figure in collection["Published"]:
                used.add(figure["Source"])
                assert set(figure["Streams"].split("+")) <= set(groups.STREAMS)
                assert "Recipe" in figure or "Note" in figure
                if "Recipe" in figure:
                    assert (figure["Training Data"], figure["Recipe"]) in recipes
            assert used == set(collection["Sources"])


@pytest.mark.parametrize("folder, name", [("stgcn", "ST-GCN"), ("2s-agcn", "2s-AGCN")])
def test_figures_of_mmaction2_are_its_own(index, folder, name):
    collections = [c for content in index for c in content["Collections"]]
    (collection,) = (c for c in collections if c["Name"] == name)
    ours = {
        (figure["Training Data"], figure["Streams"]): figure["Metrics"]
        for figure in collection["Published"]
        if figure["Source"] == "MMAction2" and "+" not in figure["Streams"]
    }
    theirs = {
        (model["Results"]["Dataset"], parse_name(model["Name"])["stream"]): model[
            "Results"
        ]["Metrics"]
        for model in upstream_models(folder)
    }
    assert ours == theirs


def test_results_of_the_personality_study(models):
    """Those of results.json, of the setting that the config is."""
    name = "msg3d-12c_1xb16-laban-d24-4e_bandai-styles-xcontent-keypoint-3d"
    (result,) = models[name]["Results"]
    runs = json.loads((metafiles.CONFIGS / "personality/results.json").read_text())
    top1 = [100 * run["top1"] for run in runs if run["setting"] == "xyz+laban"]
    assert result["Metrics"] == {
        "Top 1 Accuracy": round(mean(top1), 1),
        "Top 1 Accuracy Std": round(stdev(top1), 1),
        "Seeds": len(top1),
    }


def test_results_and_collections_are_kept(monkeypatch):
    """What is written by hand stays; what a config says does not."""
    path = metafiles.CONFIGS / "personality" / "metafile.yml"
    content = metafiles.read(path)
    result = dict(Task="T", Dataset="D", Metrics={"Top 1 Accuracy": 1.0, "Seeds": 1})
    content["Models"][1].update(Results=[result], Weights="https://example.org/w.pth")
    content["Models"][1]["Metadata"]["Epochs"] = 7
    monkeypatch.setattr(metafiles, "read", lambda path: content)
    model = metafiles.renewed(path)["Models"][1]
    assert model["Results"] == [result]
    assert model["Weights"] == "https://example.org/w.pth"
    assert model["Metadata"]["Epochs"] == int(parse_name(model["Name"])["epochs"])

    content["Models"].append(dict(Name="gone", Results=[result]))
    with raises("unknown-name", file="metafile.yml", field="gone"):
        metafiles.renewed(path)
    content["Models"][-1] = dict(Name="gone", Metadata={})
    assert len(metafiles.renewed(path)["Models"]) == len(content["Models"]) - 1


def test_faults_are_told(monkeypatch, tmp_path):
    with raises("file-name", file="msg3d_joint"):
        parse_name("msg3d_joint")
    with raises("structure", file="metafile.yml", field="Collections"):
        metafiles.read(tmp_path / "metafile.yml")
    leaf = metafiles.leaves(metafiles.CONFIGS / "stgcn")[0]
    other = [dict(Name="MS-G3D", Metadata=dict(Architecture=["MSG3D"]))]
    with bases_looked_up_once(), raises("unknown-name", field="backbone"):
        metafiles.model(leaf, other)
    for readme in ("no markers", f"{tables.END}\n{tables.BEGIN}\n"):
        with raises("structure", file="README.md"):
            tables.with_table(readme, "table")


def test_table_of_a_small_index():
    """A row a data set, a line a recipe; published and ours apart, † for a doubt."""
    models = [
        dict(
            Name=f"msg3d_8xb16-{stream}-{recipe}_ntu60-xsub-keypoint-3d",
            Config=f"configs/{stream}-{recipe}.py",
            **{"In Collection": "MS-G3D"},
            Metadata={
                "Training Data": "NTU60-XSub-3D",
                "Stream": stream,
                "Parameters": 3194595,
                "FLOPs": flops,
            },
        )
        for recipe, flops in (("u100-80e", 18_641_682_480), ("p300-50e", 5.5e10))
        for stream in ("bone", "joint")
    ]
    models.append({**models[0], "Name": models[0]["Name"].replace("u100", "x9")})
    metrics = {"Top 1 Accuracy": 80.5, "Top 1 Accuracy Std": 0.4, "Seeds": 5}
    models[1]["Results"] = [dict(Dataset="NTU60-XSub-3D", Metrics=metrics)]
    figures = [
        ("u100-80e", "joint", 89.6),
        ("u100-80e", "joint+bone", 91.0),
        ("p300-50e", "joint", 89.4),
        (None, "joint", 12.3),
    ]
    published = [
        {
            "Training Data": "NTU60-XSub-3D",
            "Recipe": recipe,
            "Streams": streams,
            "Metrics": {"Top 1 Accuracy": top1},
            "Source": "S",
        }
        for recipe, streams, top1 in figures
    ]
    published[2]["Note"] = "not checked"
    collection = dict(
        Name="MS-G3D", Sources=dict(S=dict(Title="t", URL="u")), Published=published
    )
    text = tables.readme([dict(Collections=[collection], Models=models)])
    (row,) = (line for line in text.splitlines() if line.startswith("| NTU60"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "NTU60-XSub-3D",
        "[`msg3d` `p300-50e`](configs/joint-p300-50e.py)<br>"
        "[`msg3d` `u100-80e`](configs/joint-u100-80e.py)",
        "3.19<br>3.19",
        "27.50<br>9.32",
        "89.4† joint ([S](u))<br>89.6 joint, 91.0 two streams ([S](u))",
        "–<br>**80.5** ± 0.4 joint (5 seeds)",
    ]


def test_command(monkeypatch, tmp_path, capsys):
    """It names what is out of date, and writes it if asked to."""
    monkeypatch.setattr(metafiles, "REPOSITORY", tmp_path)
    (tmp_path / "new.md").write_text("new")
    (tmp_path / "old.md").write_text("old")
    wanted = {tmp_path / "new.md": "new", tmp_path / "old.md": "newer"}
    monkeypatch.setattr(model_table, "contents", lambda: wanted)
    monkeypatch.setattr(sys, "argv", ["model_table.py"])
    assert model_table.main() == 1
    assert capsys.readouterr().err.startswith("old.md is out of date: run python ")
    monkeypatch.setattr(sys, "argv", ["model_table.py", "--write"])
    assert model_table.main() == 0
    assert capsys.readouterr().out == "wrote old.md\n"
    assert (tmp_path / "old.md").read_text() == "newer"
    monkeypatch.setattr(sys, "argv", ["model_table.py"])
    assert model_table.main() == 0
