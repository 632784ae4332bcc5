"""The tutorial: it runs, and the repository contains its outputs.

After a change, store new outputs with `jupyter execute --inplace docs/tutorial.ipynb`.
"""

import json

import pytest

from conftest import REPOSITORY, user_env

NOTEBOOK = REPOSITORY / "docs" / "tutorial.ipynb"


def output_types(cells: list[dict]) -> list[set[str]]:
    """Return the types of the outputs of each code cell: "text" and "image/png"."""
    return [
        {
            "image/png" if "image/png" in output.get("data", {}) else "text"
            for output in cell["outputs"]
        }
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def test_stored_outputs():
    content = NOTEBOOK.read_text(encoding="utf-8")
    assert len(content) < 300_000
    cells = json.loads(content)["cells"]
    assert {"image/png"} in output_types(cells)
    for cell in cells:
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"


def test_notebook_runs(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    stored = output_types(notebook.cells)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(notebook, timeout=600, resources=resources)
    client.execute(env=user_env())  # raises the error of a cell
    assert output_types(notebook.cells) == stored
    printed = json.dumps(notebook.cells)
    assert "predicted: " in printed
    assert printed.count("acc/top1: ") == 2
    assert (tmp_path / "own" / "epoch_2.pth").is_file()
