"""The glossary explains every token in the name of every config."""

import re

import pytest

from conftest import REPOSITORY
from leaves import LEAVES
from msg3d.apis.model_index import parse_name

TEXT = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
KEY = re.findall(
    r"`([^`\n]+)`", TEXT.partition("\n### Network\n")[2].partition("\n## ")[0]
)
DATA_TOKENS = re.compile(
    r"(ntu60|ntu120|kinetics-\w+|nw-ucla|msr-action3d|penn-action|sbu|bandai-styles"
    r"|udiva|synthetic)(?:-(xsub|xview|xset|fold1|xcontent))?(?:-(clean-v1))?"
)


def tokens(name):
    parts = parse_name(name)
    network, _, width = re.fullmatch(r"(.+?)(-(\d+c))?", parts["network"]).groups()
    sampling, epochs = parts["recipe"].split("-")
    data = name.partition("-keypoint-")[0].rpartition("_")[2]
    batch = f"{parts['gpus']}xb{parts['batch']}"
    dimensions = f"keypoint-{parts['dimensions']}"
    recipe = batch, parts["stream"], sampling, epochs, dimensions
    data_tokens = DATA_TOKENS.fullmatch(data).groups()
    return {network, width, *recipe, *data_tokens} - {None}


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_tokens_are_explained(path):
    missing = tokens(path.stem) - set(KEY)
    assert not missing, f"explain {missing} in docs/glossary.md"


def test_example_is_decoded_completely():
    example = TEXT.partition("### An example\n")[2].partition("\n### ")[0]
    name, *decoded = re.findall(r"^\| `(.+?)` \||^`(.+)\.py`", example, re.M)
    assert {token for token, _ in decoded} == tokens(name[1])
