"""Tests of the `msg3d visualize` command."""

import pickle

import numpy as np
import pytest
from PIL import Image
from tiny_task import samples, write_trained

from errors import raises
from in_process import msg3d_command
from msg3d.datasets import load_annotations
from samples import write


def run(*arguments):
    return msg3d_command("visualize", *arguments)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(config, checkpoint, annotation file)."""
    return write_trained(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def scores(tmp_path):
    """Score file of the first 12 samples, 10 of them correct."""
    path = tmp_path / "scores.pkl"
    labels = [number % 3 for number in range(12)]
    predictions = np.eye(3)[[*labels[:10], 0, 0]]
    dump = [
        {"pred_score": score, "gt_label": label, "frame_dir": f"s{number}"}
        for number, (score, label) in enumerate(zip(predictions, labels, strict=True))
    ]
    path.write_bytes(pickle.dumps(dump))
    return path


@pytest.mark.parametrize("size", ["response", "saliency"])
def test_play_with_a_network(tiny, tmp_path, size):
    config, checkpoint, data = tiny
    files = [tmp_path / f"a.{ending}" for ending in ("html", "gif", "mp4")]
    options = ["--pixels", 100, "--window", 4, "--device", "cpu", "--sample", "s1"]
    model = ["--model", config, "--checkpoint", checkpoint, "--size", size, "--scores"]
    assert run("play", data, "--output", *files, *model, *options) == 0
    page = files[0].read_text(encoding="utf-8")
    assert "s1, up" in page
    assert '"classes":["' in page
    assert '"sizes":"' in page
    frames = samples(24, seed=1)[1]["total_frames"]
    with Image.open(files[1]) as gif:
        assert gif.n_frames == frames
        assert gif.size == (200, 100)
    assert files[2].stat().st_size > 1000


@pytest.mark.parametrize(("joints", "channels", "persons"), [(25, 3, 2), (17, 2, 3)])
def test_play_without_a_network(tmp_path, joints, channels, persons):
    data = write(tmp_path / "a.pkl", joints=joints, channels=channels, persons=persons)
    out = tmp_path / "a.html"
    assert run("play", data, "--output", out) == 0
    assert f'"shape":[{persons},' in out.read_text(encoding="utf-8")


def test_play_several_samples(tmp_path):
    data = write(tmp_path / "a.pkl")
    out = tmp_path / "a.gif"
    options = ["--pixels", 50, "--sample", "sample002", "sample000"]
    assert run("play", data, "--output", out, *options) == 0
    samples = load_annotations(data)["annotations"]
    with Image.open(out) as gif:
        assert gif.n_frames == sum(samples[number]["total_frames"] for number in (2, 0))


def test_figures_of_results(tiny, tmp_path, scores):
    config, checkpoint, data = tiny
    model = ["--checkpoint", checkpoint]
    for command in (
        ["confusion", scores, "--ann-file", data],
        ["classes", scores, scores],
        ["graph", config, *model, "--layer", "backbone.sgcn3.0"],
        ["saliency", config, data, *model, "--steps", 2, "--device", "cpu"],
    ):
        out = tmp_path / f"{command[0]}.png"
        assert run(*command, "--output", out) == 0
        with Image.open(out) as image:
            assert np.asarray(image.convert("L")).std() > 5


def test_cfg_options_require_values(tiny, tmp_path, capsys):
    arguments = (*tiny, "--output", tmp_path / "a.png", "--cfg-options", "foo")
    assert run("saliency", *arguments) == 2
    assert "'foo'" in capsys.readouterr().err.splitlines()[-1]


def test_graph_lists_layers(tiny, capsys):
    assert run("graph", *tiny[:2], "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "backbone.sgcn1.0 3x5x5" in lines
    assert len(lines) == 9


def test_saliency_check_prints_tables(tiny, tmp_path, capsys):
    out = tmp_path / "deletion.png"
    options = ["--split", "val", "--steps", 4, "--device", "cpu", "--repeats", 2]
    options += ["--cfg-options", "test_dataloader.dataset.pipeline.0.num_clips=1"]
    assert run("saliency", *tiny, "--check", "--output", out, *options) == 0
    printed = capsys.readouterr().out
    assert "12 samples" in printed
    assert "| joints deleted | most salient" in printed
    assert out.exists()


@pytest.mark.parametrize(
    ("command", "token"),
    [
        ("play {data} --output {out}.gif --size response", "--model"),
        ("play {data} --output {out}.gif --fps 0", "--fps"),
        ("play {data} --output {out}.html --sample s0 s1", "--sample"),
        ("graph {config} {checkpoint}", "--output"),
        ("saliency {config} {data} {data} --output {out}.png", "FILE"),
    ],
)
def test_usage_errors(tiny, tmp_path, capsys, command, token):
    names = dict(
        zip(("config", "checkpoint", "data"), tiny, strict=True), out=tmp_path / "a"
    )
    assert run(*command.format(**names).split()) == 2
    assert token in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "kind", "token"),
    [
        ("play {data} --output a.avi", "file-name", "a.avi"),
        ("play {data} --output {out}.gif --sample no", "unknown-name", "'no'"),
        ("play {out}.pkl --output {out}.gif", None, "a.pkl"),
        ("confusion {out}.pkl --output {out}.png", None, "a.pkl"),
        ("curves {out} --output {out}.png", "not-found", "scalars.json"),
        (
            "graph {config} {checkpoint} --output {out}.png --layer x",
            "unknown-name",
            "'x'",
        ),
        (
            "saliency {config} {checkpoint} {data} --label 3 --output {out}.png",
            "option",
            "--label",
        ),
    ],
)
def test_errors_are_a_message_without_traceback(
    tiny, tmp_path, capsys, command, kind, token
):
    names = dict(
        zip(("config", "checkpoint", "data"), tiny, strict=True), out=tmp_path / "a"
    )
    arguments = command.format(**names).split()
    assert run(*arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("msg3d visualize: ")
    assert token in printed
    assert not list(tmp_path.iterdir())
    if kind is not None:
        with raises(kind):
            msg3d_command("visualize", *arguments, "--debug")
