"""tools/visualize.py as it is typed, and as docs/visualize.md types it."""

import pickle
import re
import shlex
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_task import learned, samples

from conftest import REPOSITORY, load_module
from errors import raises
from samples import write

TEXT = REPOSITORY / "docs" / "visualize.md"
PATH = REPOSITORY / "tools" / "visualize.py"
tool = load_module(PATH)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["visualize.py", *map(str, arguments)])
    return tool.main()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(config, checkpoint, annotation file)."""
    return learned(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def scores(tmp_path):
    """A dump of a test on the first twelve samples, ten of them right."""
    path = tmp_path / "scores.pkl"
    labels = [number % 3 for number in range(12)]
    said = [*labels[:10], 0, 0]
    dump = [
        dict(pred_score=np.eye(3)[one], gt_label=label, frame_dir=f"s{number}")
        for number, (one, label) in enumerate(zip(said, labels))
    ]
    path.write_bytes(pickle.dumps(dump))
    return path


@pytest.mark.parametrize("size", ["response", "saliency"])
def test_play_with_a_network(tiny, tmp_path, monkeypatch, size):
    config, checkpoint, data = tiny
    files = [tmp_path / f"a.{ending}" for ending in ("html", "gif", "mp4")]
    options = ["--pixels", 100, "--window", 4, "--device", "cpu", "--sample", "s1"]
    model = ["--model", config, checkpoint, "--size", size, "--scores"]
    assert run(monkeypatch, "play", data, "--out", *files, *model, *options) == 0
    page = files[0].read_text()
    assert "s1, up" in page and '"classes":["' in page and '"sizes":"' in page
    frames = samples(24, seed=1)[1]["total_frames"]
    with Image.open(files[1]) as gif:
        assert gif.n_frames == frames and gif.size == (100, 132)
    assert files[2].stat().st_size > 1000


@pytest.mark.parametrize("joints, channels, persons", [(25, 3, 2), (17, 2, 3)])
def test_play_without(tmp_path, monkeypatch, joints, channels, persons):
    data = write(tmp_path / "a.pkl", joints=joints, channels=channels, persons=persons)
    out = tmp_path / "a.html"
    assert run(monkeypatch, "play", data, "--out", out) == 0
    assert f'"shape":[{persons},' in out.read_text()


def test_results(tiny, tmp_path, scores, monkeypatch):
    config, checkpoint, data = tiny
    for command in (
        ["confusion", scores, "--ann-file", data],
        ["classes", scores, scores],
        ["graph", config, checkpoint, "--layer", "backbone.sgcn3.0"],
        ["saliency", config, checkpoint, data, "--steps", 2, "--device", "cpu"],
    ):
        out = tmp_path / f"{command[0]}.png"
        assert run(monkeypatch, *command, "--out", out) == 0
        with Image.open(out) as image:
            assert np.asarray(image.convert("L")).std() > 5


def test_layers_are_listed(tiny, monkeypatch, capsys):
    assert run(monkeypatch, "graph", *tiny[:2], "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "backbone.sgcn1.0 3x5x5" in lines and len(lines) == 9


def test_check_prints_its_tables(tiny, tmp_path, monkeypatch, capsys):
    out = tmp_path / "deletion.png"
    options = ["--split", "val", "--steps", 4, "--device", "cpu", "--repeats", 2]
    options += ["--cfg-options", "test_dataloader.dataset.pipeline.0.num_clips=1"]
    assert run(monkeypatch, "saliency", *tiny, "--check", "--out", out, *options) == 0
    printed = capsys.readouterr().out
    assert "12 samples" in printed and "| joints deleted | most salient" in printed
    assert out.exists()


@pytest.mark.parametrize(
    "command, kind, token",
    [
        ("play {data} --out a.avi", "file-name", "a.avi"),
        ("play {data} --out {out}.gif --size response", "option", "--model"),
        ("play {data} --out {out}.gif --fps 0", "option", "--fps"),
        ("play {data} --out {out}.gif --sample no", "unknown-name", "'no'"),
        ("play {out}.pkl --out {out}.gif", None, "a.pkl"),
        ("confusion {out}.pkl --out {out}.png", None, "a.pkl"),
        ("curves {out} --out {out}.png", "not-found", "scalars.json"),
        (
            "graph {config} {checkpoint} --out {out}.png --layer x",
            "unknown-name",
            "'x'",
        ),
        ("graph {config} {checkpoint}", "option", "--out"),
        ("saliency {config} {data} {data} --out {out}.png", None, "tiny.p"),
        (
            "saliency {config} {checkpoint} {data} --label 3 --out {out}.png",
            "option",
            "--label",
        ),
    ],
)
def test_errors_are_a_sentence(
    tiny, tmp_path, monkeypatch, capsys, command, kind, token
):
    names = dict(zip(("config", "checkpoint", "data"), tiny), out=tmp_path / "a")
    words = command.format(**names).split()
    assert run(monkeypatch, *words) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("visualize.py: ") and token in printed
    assert not list(tmp_path.iterdir())
    if kind is not None:
        args = tool.parser().parse_args(words)
        with raises(kind):
            args.run(args)


def test_documented_commands_are_commands():
    blocks = re.findall(r"^```shell\n(.*?)^```$", TEXT.read_text(), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    typed = [shlex.split(line) for line in lines if "visualize.py" in line]
    assert len(typed) > 8
    ran = {tool.parser().parse_args(one[2:]).run.__name__ for one in typed}
    assert ran == {"play", "confusion", "classes", "curves", "graph", "saliency"}
