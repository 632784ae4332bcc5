"""Compare pipelines in exported files with those of the configs, bit for bit."""

import json

import numpy as np
from mmengine.config import Config

from leaves import ROOT
from msg3d.apis.exported import StoredPipeline
from msg3d.apis.keypoint_input import to_sample
from msg3d.apis.trained import TestPipeline
from msg3d.export.write import recipe_text
from msg3d.skeletons import skeleton


def test_pipelines_of_all_configs():
    texts = set()
    for path in sorted(
        (*ROOT.glob("msg3d/*.py"), *ROOT.glob("personality/*udiva*.py"))
    ):
        pipeline = TestPipeline(Config.fromfile(path))
        text = recipe_text(pipeline, "", ["a"])
        if text not in texts:
            texts.add(text)
            assert_equal(pipeline, StoredPipeline(json.loads(text)), path.stem)
    assert len(texts) > 30


def assert_equal(pipeline, stored, name):
    joints = len(skeleton(pipeline.expected.layout).joints)
    is_2d = pipeline.expected.dimensions == 2
    rng = np.random.default_rng(0)
    for persons, frames in ((1, 7), (2, 70), (3, 290), (2, 130)):
        keypoint = rng.normal(size=(persons, frames, joints, 2 if is_2d else 3))
        keypoint = keypoint.astype(np.float32).cumsum(1)
        keypoint[-1, : frames // 3] = 0
        keypoint[0, 1, 2:5] = 0
        sample = {"keypoint": keypoint}
        if is_2d:
            sample.update(keypoint=300 + 5 * keypoint, img_shape=(480, 640))
            sample["keypoint"][keypoint == 0] = 0
        expected = pipeline(to_sample(sample, pipeline.expected))
        actual = stored(to_sample(sample, pipeline.expected))
        assert actual.dtype == np.float32
        np.testing.assert_array_equal(actual, expected.astype(np.float32), name)
