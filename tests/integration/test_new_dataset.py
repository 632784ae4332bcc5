"""Follow docs/new_dataset.md as a user would, with the code blocks of the page."""

import ast
import json
import re
import subprocess

import numpy as np
import pytest

from conftest import REPOSITORY, user_env
from msg3d.cli.prepare import FORMATS
from msg3d.datasets import load_annotations
from msg3d.formats.csv_table import read_csv
from msg3d.skeletons import skeleton
from msg3d.skeletons.units import UNITS
from tiny_runs import SHORT_TRAINING

pytestmark = pytest.mark.main_job

# Options that make a command short enough for a test.
SHORT_OPTIONS = {
    "prepare synthetic": "--subjects 4 --repeats 1",
    "train": f"--cfg-options {' '.join(SHORT_TRAINING)}",
}


def blocks(language):
    text = (REPOSITORY / "docs" / "new_dataset.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands():
    lines = "".join(blocks("shell")).replace("\\\n", " ").splitlines()
    return [re.sub(" +", " ", line) for line in lines]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """Run all commands. Return the folder, and the output of each command."""
    folder = tmp_path_factory.mktemp("user")
    env = user_env()
    printed = {}
    for command in commands():
        extra = [options for name, options in SHORT_OPTIONS.items() if name in command]
        done = subprocess.run(
            ["bash", "-c", " ".join([command, *extra])],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
        printed[command] = done.stdout
    return folder, printed


def output_of(printed, name):
    (output,) = [text for command, text in printed.items() if name in command]
    return output


def test_every_command_runs(followed):
    folder, printed = followed
    words = r"msg3d (prepare )?[\w-]+"
    assert [re.search(words, command)[0] for command in printed] == [
        "msg3d prepare synthetic",
        "msg3d prepare folder",
        "msg3d check",
        "msg3d new-config",
        "msg3d train",
        "msg3d test",
        "msg3d predict",
    ]
    assert "no faults" in output_of(printed, "msg3d check")
    assert (folder / "work_dirs" / "my_config" / "epoch_1.pth").is_file()
    assert re.search(r"acc/top1: [01]\.\d{4}", output_of(printed, "msg3d test"))


def test_output_matches_page(followed):
    """Only the numbers may differ, since the test run is shorter."""
    _, printed = followed
    report, accuracy = blocks("text")

    def without_numbers(line):
        return re.sub(r"[\d.]+", "#", line).strip()

    lines = set(map(without_numbers, output_of(printed, "prepare folder").splitlines()))
    assert set(map(without_numbers, report.splitlines())) <= lines
    for line, name in zip(
        accuracy.splitlines(), ("msg3d train", "msg3d test"), strict=True
    ):
        assert without_numbers(line).replace("[#][#/#]", "") in without_numbers(
            output_of(printed, name)
        ).replace("[#][#/#]", "")


def test_persons_are_in_one_split(followed):
    folder, _ = followed
    split = load_annotations(folder / "data" / "mine.pkl")["split"]
    people = {
        side: {re.search(r"s\d+", name)[0] for name in names}
        for side, names in split.items()
    }
    assert len(people["train"]) == 3
    assert len(people["val"]) == 1
    assert not people["train"] & people["val"]


def test_config_matches_page(followed):
    folder, _ = followed
    (config,) = blocks("python")
    written = (folder / "my_config.py").read_text(encoding="utf-8")
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(config))


def test_custom_layout_and_table():
    (layout,), (table,) = map(json.loads, blocks("json")), blocks("csv")
    layout = skeleton(layout)
    sequence = read_csv(table.encode(), layout.joints, 3)
    assert sequence.coordinates.shape == (2, 2, 3, 3)
    np.testing.assert_array_equal(sequence.coordinates[1, 0, 2], (1.15, 0.50, 2.41))
    assert np.isnan(sequence.coordinates[1, 0, 1]).all()
    assert np.isnan(sequence.coordinates[1, 1]).all()


def test_all_units_and_options_are_documented():
    text = (REPOSITORY / "docs" / "new_dataset.md").read_text(encoding="utf-8")
    for word in (*UNITS, *FORMATS["folder"].options):
        assert word in text
