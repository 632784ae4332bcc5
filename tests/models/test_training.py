"""Training with mixed precision and gradient checkpointing."""

import pytest
import torch
from torch import nn

from msg3d.models.checkpointing import checkpointed
from networks import assert_close, pair

CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_is_close(form, dtype):
    model, _ = pair("coco", num_person=1, dtype=torch.float32)
    x = torch.rand(2, 1, 8, 17, 3)
    out = model(x)
    for _ in range(3):
        with torch.autocast("cpu", dtype=dtype):
            low = model(x)
        assert low.dtype == dtype
        low.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    assert_close(low.float(), out, 0.1)


def stored(run):
    """Return the bytes that autograd stores in `run()`, and its output."""
    sizes = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = run()
    return sum(sizes.values()), out


@pytest.mark.parametrize("dropout", [0, 0.5])
def test_checkpointing_changes_only_memory(form, dropout):
    models = [pair(CHAIN, num_person=2, tcn_dropout=dropout)[0] for _ in range(2)]
    models[1].with_cp = True
    x = torch.rand(4, 2, 9, 5, 3).double()
    sizes = []
    for model in models:
        torch.manual_seed(1)
        size, out = stored(lambda model=model: model.train()(x))
        sizes.append(size)
        out.square().sum().backward()
    assert sizes[1] < 0.5 * sizes[0]
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert_close(b.grad, a.grad, 1e-12)
    for a, b in zip(models[0].buffers(), models[1].buffers(), strict=True):
        assert torch.equal(a, b)
    assert models[1].data_bn.num_batches_tracked == 1
    assert models[1].tcn3.branches[0][1].num_batches_tracked == 1


def test_checkpointing_restores_norms_after_errors():
    part = nn.BatchNorm1d(3)

    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.calls = part, 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 2:
                raise RuntimeError("second pass")
            return self.norm(x).square()

    out = checkpointed(Failing(), torch.rand(4, 3, requires_grad=True))
    with pytest.raises(RuntimeError, match="second pass"):
        out.sum().backward()
    assert part.track_running_stats
