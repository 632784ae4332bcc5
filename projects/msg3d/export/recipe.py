"""What an exported file says of itself: classes, layout and preprocessing, as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from ..apis.exported import CARRIED, FORMAT
from ..apis.trained import (
    TestPipeline,
)
from ..errors import ConfigError


def recipe_text(pipeline: TestPipeline, classes: Sequence[str], network: str) -> str:
    """The text that `apis.exported` reads.

    Args:
        pipeline: of the config.
        classes: their names.
        network: what the backbone is called, for readers.

    Raises:
        ConfigError: the pipeline has a step that needs more than arrays.
    """
    recipe = dict(
        format=FORMAT,
        network=network,
        classes=list(classes),
        expected=vars(pipeline.expected),
        pipeline=[_plain(step) for step in pipeline.steps if step["type"] != _PACKING],
    )
    return json.dumps(recipe)


# Makes a tensor of the array, which an exported network takes as it is.
_PACKING = "PackActionInputs"


def _plain(step: dict[str, Any]) -> dict[str, Any]:
    name = step["type"]
    if name not in CARRIED:
        raise ConfigError(
            f"the test pipeline has the step {name}, which an exported file cannot "
            f"carry, expected only {', '.join(CARRIED)} and {_PACKING}: leave the step "
            "out of test_dataloader and do its work in the annotation file"
        )
    return dict(step)
