"""Test that the text of shipped configs, as stored in checkpoints, is plain data."""

from mmengine.config import Config

from in_process import without_paperwork
from leaves import LEAVES
from msg3d.checkpoints.stored_config import parse_config


def test_shipped_configs_are_data():
    for path in LEAVES:
        config = Config.fromfile(path)
        with without_paperwork():
            text = config.pretty_text
        assert parse_config(text) == config.to_dict(), path
    assert len(LEAVES) > 200
