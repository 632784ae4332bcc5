"""Write configs for annotation files, and copy and find configs."""

from pathlib import Path

import pytest
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from errors import raises
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.apis.config_files import copy_config, find_config, shipped_configs
from msg3d.apis.new_config import write_config
from msg3d.datasets import pack
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import layout_meta, skeleton
from samples import annotations, write


def scores(cfg, channels=8):
    """Return the scores of a training sample by an untrained, narrow network."""
    init_default_scope("mmaction")
    cfg.model.backbone.base_channels = channels
    cfg.model.cls_head.in_channels = 4 * channels
    model = MODELS.build(cfg.model).eval()
    sample = DATASETS.build(cfg.train_dataloader.dataset)[0]
    return model(sample["inputs"][None], mode="tensor", stage="head")[0]


@pytest.mark.parametrize(
    ("layout", "channels", "persons"),
    [
        ("coco", 2, 2),
        ("penn13", 2, 1),
        ("kinect20", 3, 1),
        ("nturgb+d", 3, 2),
        ("mediapipe33", 3, 1),
        ("hand21", 3, 1),  # without spine and shoulders
    ],
)
def test_write_config(tmp_path, layout, channels, persons):
    joints = len(skeleton(layout).joints)
    ann_file = str(tmp_path / "mine.pkl")
    write(ann_file, joints=joints, channels=channels, persons=persons, classes=5)
    output = str(tmp_path / "mine.py")
    config, *inherited = write_config(ann_file, output, layout=layout)
    assert config == output
    assert len(inherited) > 4
    (flat,) = write_config(
        ann_file, str(tmp_path / "flat.py"), layout=layout, flat=True
    )
    cfg, flat = Config.fromfile(config), Config.fromfile(flat)
    for key in flat:
        assert cfg[key] == flat[key], key
    assert flat.val_dataloader.dataset.split == "val"
    assert flat.test_dataloader.dataset.ann_file == ann_file
    assert scores(flat).shape == (5,)


def test_several_files(tmp_path):
    """Files with other classes and layouts are combined."""
    files = []
    for name, layout, classes in (
        ("a", "kinect20", ["wave", "clap", "walk", "sit"]),
        ("b", "sbu15", ["push", "clap", "hug", "kick"]),
    ):
        joints = len(skeleton(layout).joints)
        data = annotations(joints=joints, seed=len(files), persons=len(files) + 1)
        for sample in data["annotations"]:
            sample["fps"] = 30.0 / (len(files) + 1)
        data["meta"] = {"classes": classes, **layout_meta(layout)}
        save_annotations(data, tmp_path / f"{name}.pkl")
        files.append(str(tmp_path / f"{name}.pkl"))
    config, *_ = write_config(files, str(tmp_path / "both.py"))
    cfg = Config.fromfile(config)
    assert cfg.model.cls_head.num_classes == 7
    assert cfg.model.backbone.num_person == 2
    assert cfg.test_dataloader.dataset.fps == 15
    assert scores(cfg).shape == (7,)
    training = DATASETS.build(cfg.train_dataloader.dataset)
    assert training.metainfo["classes"][4:] == ["push", "hug", "kick"]
    assert len(DATASETS.build(cfg.val_dataloader.dataset)) == 8


def test_several_files_have_their_own_splits(tmp_path):
    files = []
    for name, split in (("a", "x"), ("b", "y")):
        data = annotations(seed=len(files))
        names = data["split"]
        data["split"] = {
            f"{part}{split}_{side}": names[side]
            for part in ("", "other")
            for side in ("train", "val")
        }
        # Joints and edges, but no name of the layout
        data["meta"] = {
            "classes": list("abcd"),
            "joints": [f"j{number}" for number in range(20)],
            "inward": [(number, number - 1) for number in range(1, 20)],
            "center": 0,
        }
        save_annotations(data, tmp_path / f"{name}.pkl")
        files.append(str(tmp_path / f"{name}.pkl"))
    output = str(tmp_path / "both.py")
    with raises("split", DataError):
        write_config(files, output)
    sides = ["x_train", "othery_train"], ["x_val", "othery_val"]
    config, *_ = write_config(files, output, None, None, *sides)
    cfg = Config.fromfile(config)
    init_default_scope("mmaction")
    for loader, splits in zip(("train", "val"), sides, strict=True):
        dataset = cfg[f"{loader}_dataloader"].dataset
        dataset = dataset.get("dataset", dataset)
        assert [file.split for file in dataset.files] == splits
        assert DATASETS.build(dataset).metainfo["classes"] == list("abcd")
    with raises("duplicate", ConfigError):
        write_config([files[0], files[0]], output)


def test_several_files_must_fit(tmp_path):
    first, second, third = (str(tmp_path / f"{name}.pkl") for name in "abc")
    data = annotations()
    data["meta"] = {"classes": list("abcd"), **layout_meta("kinect20")}
    save_annotations(data, first)
    del data["meta"]["classes"]
    save_annotations(data, second)
    with raises("label", DataError, file="b.pkl"):
        write_config([first, second], str(tmp_path / "new.py"))
    data = annotations(joints=17, channels=2)
    data["meta"] = {"classes": list("abcd"), **layout_meta("coco")}
    save_annotations(data, third)
    with raises("shape", DataError, file="c.pkl"):
        write_config([first, third], str(tmp_path / "new.py"))


def test_config_is_short(tmp_path):
    ann_file = str(tmp_path / "mine.pkl")
    write(ann_file, joints=17, channels=2)
    config, *_ = write_config(ann_file, str(tmp_path / "mine.py"), layout="coco")
    assert len(Path(config).read_text(encoding="utf-8").splitlines()) < 16


def test_layout_in_the_file(tmp_path):
    """The file specifies the layout by joint names or by edges."""
    data = annotations(joints=20)
    data["meta"] = layout_meta("kinect20")
    save_annotations(data, tmp_path / "a.pkl")
    config, *_ = write_config(str(tmp_path / "a.pkl"), str(tmp_path / "a.py"))
    assert Config.fromfile(config).model.backbone.graph_cfg.layout == "kinect20"

    data = annotations(joints=5)
    data["meta"] = {"inward": [(1, 0), (2, 1), (3, 0), (4, 3)], "center": 0}
    save_annotations(data, tmp_path / "b.pkl")
    config, *_ = write_config(str(tmp_path / "b.pkl"), str(tmp_path / "b.py"))
    cfg = Config.fromfile(config)
    assert cfg.model.backbone.graph_cfg.layout.num_node == 5
    assert scores(cfg).shape == (4,)


def test_missing_layout(tmp_path):
    write(tmp_path / "a.pkl", joints=17, channels=2)
    with raises("layout", file="a.pkl"):
        write_config(str(tmp_path / "a.pkl"), str(tmp_path / "a.py"))
    assert not (tmp_path / "a.py").exists()


def test_splits(tmp_path):
    file, output = str(tmp_path / "a.pkl"), str(tmp_path / "a.py")
    write(file)
    data = load_annotations(file)
    data["split"] |= {"x_train": data["split"]["train"], "x_val": data["split"]["val"]}
    save_annotations(data, file)
    with raises("split"):
        write_config(file, output, layout="kinect20")
    with raises("split"):
        write_config(file, output, layout="kinect20", train_split="y_train")
    write_config(file, output, layout="kinect20", train_split="x_train")
    assert Config.fromfile(output).val_dataloader.dataset.split == "x_val"


def test_invalid_arguments(tmp_path):
    output = str(tmp_path / "a.py")
    write(tmp_path / "2d.pkl", joints=17, channels=2)
    write(tmp_path / "targets.pkl", joints=17, targets=3)
    file_2d, targets = str(tmp_path / "2d.pkl"), str(tmp_path / "targets.pkl")
    ntu = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d"
    with raises("config"):
        write_config(file_2d, output, like=ntu, layout="coco")
    with raises("not-found"):
        write_config(file_2d, output, like="msg3d_9xb16", layout="coco")
    with raises("label"):
        write_config(targets, output, layout="coco")
    with raises("file-name"):
        write_config(file_2d, str(tmp_path / "a.txt"), layout="coco")
    assert [path.name for path in tmp_path.glob("*.py")] == []


RECIPES = [
    "2s-agcn_1xb16-joint-strong52-325e_nw-ucla-xview-keypoint-3d",
    "aagcn_8xb16-bone-u100-80e_ntu60-xsub-keypoint-3d",
    "msg3d-48c_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d",
    "stgcn_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d",
]


@pytest.mark.parametrize("like", RECIPES)
def test_recipes(tmp_path, like):
    """Network and schedule are copied from the recipe."""
    file = str(tmp_path / "a.pkl")
    write(file, joints=24, persons=1)
    config, *_ = write_config(file, str(tmp_path / "a.py"), like=like, layout="smpl24")
    cfg, recipe = Config.fromfile(config), Config.fromfile(find_config(like))
    for key in ("optim_wrapper", "param_scheduler", "train_cfg", "default_hooks"):
        assert cfg[key] == recipe[key]
    assert cfg.model.backbone.type == recipe.model.backbone.type
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert dataset[0]["inputs"].shape[-2:] == (24, 3)


def test_packed_store(tmp_path):
    pack(annotations(), tmp_path / "a.packed")
    config, *_ = write_config(
        str(tmp_path / "a.packed"), str(tmp_path / "a.py"), layout="kinect20"
    )
    assert scores(Config.fromfile(config)).shape == (4,)


@pytest.mark.parametrize(
    "name", [*RECIPES, "msg3d-12c_1xb16-laban-u250-200e_udiva-keypoint-3d"]
)
def test_copy(tmp_path, name):
    config, *_ = copy_config(name, str(tmp_path))
    assert (
        Config.fromfile(config).to_dict()
        == Config.fromfile(find_config(name)).to_dict()
    )
    with raises("exists"):
        copy_config(name, str(tmp_path))
    copy_config(name, str(tmp_path), overwrite=True)


def test_find_config(tmp_path, monkeypatch):
    name = next(iter(shipped_configs()))
    assert find_config(name) == find_config(f"{name}.py") == shipped_configs()[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").touch()
    (tmp_path / "mine.pth").touch()
    assert find_config("mine.py").exists()
    # `mim train mmaction` also finds the configs of MMAction2.
    assert find_config("stgcn_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d").exists()
    with raises("wrong-file-type"):
        find_config("mine.pth")
    with raises("not-found") as caught:
        find_config(f"{name}x")
    assert name in str(caught.value)
