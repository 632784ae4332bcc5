"""Compatibility fixes for MMEngine without CUDA and in bfloat16."""

import pytest
import torch
from mmengine.dist import utils
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import amp, checkpoint, loops

from msg3d.compat import mmengine

without_cuda = pytest.mark.skipif(
    torch.cuda.is_available(), reason="requires a machine without CUDA"
)


@without_cuda
@pytest.mark.parametrize("dtype", [None, "bfloat16"])
@pytest.mark.parametrize("loss_scale", ["dynamic", 512.0, {"init_scale": 8.0}])
def test_amp_wrapper_steps_in_bfloat16(dtype, loss_scale):
    model = torch.nn.Linear(4, 2)
    before = model.weight.clone()
    wrapper = AmpOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        dtype=dtype,
        loss_scale=loss_scale,
    )
    with wrapper.optim_context(model):
        output = model(torch.ones(3, 4))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().sum())
    torch.testing.assert_close(model.weight, before - 0.3)
    wrapper.load_state_dict(wrapper.state_dict())


@without_cuda
@pytest.mark.parametrize("available", [True, False])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_warning_about_missing_instructions(available, dtype, monkeypatch):
    asked, logged = [], []
    monkeypatch.setattr(
        mmengine, "has_instructions", lambda name: asked.append(name) or available
    )
    monkeypatch.setattr(
        MMLogger, "callHandlers", lambda self, record: logged.append(record)
    )
    optimizer = torch.optim.SGD(torch.nn.Linear(4, 2).parameters(), lr=0.1)
    AmpOptimWrapper(optimizer=optimizer, dtype=dtype)
    assert asked == [dtype]
    warnings = [r for r in logged if dtype in r.getMessage()]
    assert [r.levelname for r in warnings] == ["WARNING"] * (not available)


@without_cuda
@pytest.mark.parametrize(
    ("fix", "owner", "name"),
    [
        ("start_without_cuda", utils, "_init_dist_pytorch"),
        ("wrap_without_cuda", MMDistributedDataParallel, "__init__"),
        ("allow_amp_without_cuda", AmpOptimWrapper, "__init__"),
        ("allow_float16_without_cuda", amp, "autocast"),
    ],
)
def test_cpu_fixes_apply_once_and_only_on_cpu(fix, owner, name, monkeypatch):
    apply, fixed = getattr(mmengine, fix), getattr(owner, name)
    assert fixed.patched_by == "msg3d"
    apply()
    assert getattr(owner, name) is fixed

    monkeypatch.setattr(owner, name, fixed.__wrapped__)
    monkeypatch.setattr(mmengine, "on_cpu", lambda: False)
    apply()
    assert getattr(owner, name) is fixed.__wrapped__


def test_no_fix_for_urls_if_mmengine_is_safe(monkeypatch):
    def load_url(url, weights_only=True):
        raise AssertionError

    monkeypatch.setattr(checkpoint, "load_url", load_url)
    mmengine.load_urls_safely()
    assert checkpoint.load_url is load_url


@without_cuda
def test_autocast_is_fixed_in_modules_that_imported_it():
    assert loops.autocast is amp.autocast
    with amp.autocast(dtype=torch.float16):
        assert torch.get_autocast_dtype("cpu") == torch.float16
