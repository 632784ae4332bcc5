"""Test that shipped configs, as stored in checkpoints, are plain data and can be tested."""

from mmengine.config import Config

from in_process import without_paperwork
from leaves import LEAVES
from msg3d.apis import stored_test
from msg3d.checkpoints.stored_config import parse_config


def test_shipped_configs_are_data():
    types = set()
    for path in LEAVES:
        config = Config.fromfile(path)
        with without_paperwork():
            text = config.pretty_text
        values = config.to_dict()
        assert parse_config(text) == values, path
        sections = {key: values[key] for key in stored_test.SECTIONS}
        types |= {part["type"] for part in stored_test._typed(sections)}
    assert len(LEAVES) > 200
    for name in types:
        assert stored_test._known_type(name, "a.pth") == name
