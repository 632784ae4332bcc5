"""Shell completion of command lines."""

import subprocess

import pytest

from conftest import user_env

NAME = "msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d"
START = "msg3d-24c_1xb16-j"


def complete(line: str) -> set[str]:
    """Return the completions of a command line."""
    env = dict(
        user_env(),
        **{"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SHELL": "bash"},
        **{"COMP_LINE": line, "COMP_POINT": str(len(line))},
    )
    # argcomplete writes the completions to file descriptor 8.
    output = subprocess.check_output(
        ["bash", "-c", "msg3d 8>&1 9>/dev/null 1>/dev/null"],
        env=env,
        text=True,
        timeout=60,
    )
    return {word.strip() for word in output.split("\n")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("msg3d pre", {"predict", "prepare"}),
        ("msg3d prepare nt", {"ntu"}),
        ("msg3d predict --outp", {"--output"}),
        (f"msg3d train {START}", {NAME}),
        (f"msg3d new-config a.pkl b.py --like {START}", {NAME}),
        ("msg3d new-config a.pkl b.py --layout kinect", {"kinect20", "kinect25"}),
        ("msg3d draw coco-", {"coco-wholebody133"}),
        ("msg3d prepare folder a b.pkl --unit c", {"cm"}),
        ("msg3d predict a --device cu", {"cuda"}),
    ],
)
def test_completions(line, words):
    assert complete(line) == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(shell):
    script = subprocess.check_output(
        ["msg3d", "completion", shell], env=user_env(), text=True, timeout=60
    )
    assert "msg3d" in script
    assert "_ARGCOMPLETE" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
