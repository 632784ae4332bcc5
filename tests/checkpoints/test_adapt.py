"""Adaptation of weights to other classes and layouts, for fine-tuning."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.files import save_annotations
from msg3d.apis.new_config import write_config
from msg3d.checkpoints.adapt import adapt_weights
from msg3d.errors import CheckpointError
from msg3d.skeletons import skeleton
from samples import annotations
from tiny_runs import SHORT_TRAINING

NETWORKS = {
    "MSG3D": {
        "base_channels": 12,
        "num_gcn_scales": 2,
        "num_g3d_scales": 2,
        "num_person": 1,
    },
    "PartitionSTGCN": {"base_channels": 4, "num_stages": 2},
    "AGCN": {},
}


def network(layout, kind="MSG3D", classes=4, **changes):
    options = dict(NETWORKS[kind], **changes)
    mode = {"MSG3D": "binary_adj", "PartitionSTGCN": "stgcn_spatial", "AGCN": "spatial"}
    graph = {"layout": layout, "mode": mode[kind]}
    backbone = {"type": kind, "graph_cfg": graph, **options}
    head = {"type": "GCNHead", "num_classes": classes, "in_channels": 48}
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(
            {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}
        )


def random_state(model):
    """Return weights that differ everywhere from the initial weights."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(value.shape, generator=generator) + 5
        if value.is_floating_point() and name.rpartition(".")[2] != "A"
        else value
        for name, value in model.state_dict().items()
    }


def transfer(source, target, model, state, **options):
    buffers = [name for name, _ in model.named_buffers()]
    return adapt_weights(state, model.state_dict(), buffers, source, target, **options)


def test_same_network_gets_all_weights():
    model = network("kinect20")
    state = random_state(model)
    weights, done = transfer("kinect20", "kinect20", model, state)
    assert not (done.new)
    assert not (done.adapted)
    assert not (done.unused)
    assert all(torch.equal(weights[name], state[name]) for name in done.loaded)
    assert "loaded" in done.summary()


def test_other_classes_get_a_new_head():
    state = random_state(network("kinect20", classes=7))
    model = network("kinect20")
    weights, done = transfer("kinect20", "kinect20", model, state)
    assert {name.split(".")[0] for name in done.new} == {"cls_head"}
    initial = model.state_dict()["cls_head.fc.weight"]
    assert torch.equal(weights["cls_head.fc.weight"], initial)
    # The same number of other classes
    state = random_state(network("kinect20"))
    _, done = transfer("kinect20", "kinect20", model, state, same_classes=False)
    assert {name.split(".")[0] for name in done.new} == {"cls_head"}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(
    ("source", "target"),
    [("kinect20", "nturgb+d"), ("coco", "openpose"), ("coco", "h36m17")],
)
def test_other_layout_gets_its_shared_joints(kind, source, target):
    state = random_state(network(source, kind))
    model = network(target, kind)
    initial = model.state_dict()
    weights, done = transfer(source, target, model, state)
    old, new = skeleton(source).joints, skeleton(target).joints
    shared = [name for name in new if name in old]
    assert done.joints == len(shared) > 10
    assert done.adapted
    name = next(
        n for n in done.adapted if weights[n].ndim > 1 and len(new) in weights[n].shape
    )
    for first in new:
        for second in new:
            actual = weights[name][..., new.index(first), new.index(second)]
            known = first in old and second in old
            expected = (
                state[name][..., old.index(first), old.index(second)]
                if known
                else initial[name][..., new.index(first), new.index(second)]
            )
            assert torch.equal(actual, expected)
    norm = next(n for n in done.adapted if n.endswith("data_bn.weight"))
    joint = shared[-1]
    channels = weights[norm].reshape(-1, len(new), 3)[:, new.index(joint)]
    stored = state[norm].reshape(-1, len(old), 3)[:, old.index(joint)]
    assert torch.equal(channels, stored)
    for graph in (n for n in initial if n.rpartition(".")[2] == "A"):
        if graph in dict(model.named_buffers()):
            assert torch.equal(weights[graph], initial[graph])


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("target", ["kinect20", "sbu15"])
def test_other_number_of_persons(before, after, target):
    state = random_state(network("kinect20", num_person=before))
    model = network(target, num_person=after)
    weights, done = transfer("kinect20", target, model, state)
    assert not done.new
    old, new = (skeleton(layout).joints for layout in ("kinect20", target))
    name = "backbone.data_bn.weight"
    adapted = weights[name].reshape(after, len(new), 3)
    stored = state[name].reshape(before, len(old), 3)
    for person in range(after):
        joint = "left_elbow"
        expected = stored[min(person, before - 1), old.index(joint)]
        assert torch.equal(adapted[person, new.index(joint)], expected)
    assert "adapted" in done.summary()


def test_windows_of_g3d_keep_their_frames():
    state = random_state(network("kinect20"))
    model = network("nturgb+d")
    weights, done = transfer("kinect20", "nturgb+d", model, state)
    name = next(n for n in done.adapted if weights[n].shape[1:] == (75, 75))
    old, new = (skeleton(layout).joints for layout in ("kinect20", "nturgb+d"))
    joint, other = "left_knee", "right_wrist"
    for frame in range(3):
        actual = weights[name][0, 25 * frame + new.index(joint), 50 + new.index(other)]
        stored = state[name][0, 20 * frame + old.index(joint), 40 + old.index(other)]
        assert actual == stored


def test_other_channels_and_networks_are_rejected():
    model = network("kinect20")
    for state in (
        random_state(network("kinect20", in_channels=6)),
        random_state(network("kinect20", base_channels=24)),
        random_state(network("kinect20", kind="AGCN")),
        {"a.weight": torch.zeros(3)},
    ):
        with raises("weights", CheckpointError):
            transfer("kinect20", "kinect20", model, state)


def test_fine_tuning_with_one_option(tmp_path, capsys):
    for name, joints, layout, classes in (
        ("a", 20, "kinect20", 4),
        ("b", 25, "nturgb+d", 3),
    ):
        data = annotations(joints=joints, classes=classes)
        data["meta"] = {
            "layout": layout,
            "classes": [f"{name}{n}" for n in range(classes)],
        }
        save_annotations(data, tmp_path / f"{name}.pkl")
        write_config(str(tmp_path / f"{name}.pkl"), str(tmp_path / f"{name}.py"))
    work = tmp_path / "work"
    command = ("--work-dir", work / "a", "--cfg-options", *SHORT_TRAINING)
    assert msg3d_command("train", tmp_path / "a.py", *command) == 0
    weights = work / "a" / "epoch_1.pth"
    command = ("--work-dir", work / "b", "--cfg-options", *SHORT_TRAINING)
    command = ("train", tmp_path / "b.py", "--weights", weights, *command)
    assert msg3d_command(*command) == 1  # Kinect v2 has more useful scales
    assert "num_gcn_scales=11" in capsys.readouterr().err
    assert msg3d_command(*command, "model.backbone.num_gcn_scales=11") == 0
    log = "".join(path.read_text() for path in (work / "b").rglob("*.log"))
    assert "adapted" in log
    assert "cls_head.fc" in log


def test_weights_and_resume_conflict(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"x")
    name = "msg3d_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py"
    command = ("train", name, "--weights", tmp_path / "a.pth", "--resume")
    assert msg3d_command(*command) == 1
    assert msg3d_command("train", name, "--weights", tmp_path / "b.pth") == 1
