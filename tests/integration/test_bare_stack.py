"""Test that every fix is still needed: the stack fails without msg3d."""

import re

import pytest
import torch
from bare_stack import failures

ERRORS = {
    "provide_drn": ("drn", "No module named 'mmaction.models.localizers.drn'"),
    "provide_importlib_metadata": ("importlib_metadata", "importlib_metadata"),
    "excuse_multimodal": ("multimodal", "timm"),
    "provide_numpy_inf": ("numpy_inf", "`np.Inf` was removed"),
    "allow_bfloat16_scores": ("bfloat16", "Got unsupported ScalarType BFloat16"),
    "allow_globals": ("history_buffer", "HistoryBuffer"),
    "allow_globals: getattr": ("getattr", "getattr"),
    "load_urls_safely": ("url", "ran"),
    # CUDA builds raise the second error.
    "start_without_cuda": ("set_device", "_cuda_setDevice|Found no NVIDIA driver"),
    "wrap_without_cuda": ("device_ids", "device_ids and output_device arguments only"),
    "allow_amp_without_cuda": ("amp", "only available training on gpu"),
    "allow_float16_without_cuda": ("float16", "only support"),
    "wrappers: load_pickles_as_data": ("pickle", "ran"),
    "wrappers: load_yaml_as_data": ("yaml", "ran"),
}
CPU_FIXES = {fix for fix in ERRORS if fix.endswith("without_cuda")}


@pytest.mark.parametrize("fix", ERRORS)
def test_fails_without(fix):
    if fix in CPU_FIXES and torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    attempt, pattern = ERRORS[fix]
    error = failures()[attempt]
    if error is None:
        pytest.skip(f"the stack no longer fails: {fix} may be removed")
    assert re.search(pattern, error), error


def test_every_fix_is_covered():
    from msg3d.compat import FIXES

    assert {fix.name for fix in FIXES} == {
        fix.partition(":")[0] for fix in ERRORS if not fix.startswith("wrappers")
    }
