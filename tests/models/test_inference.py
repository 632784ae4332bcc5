"""Fast inference: same outputs, and the cache is never stale."""

import copy
import io
import pickle

import pytest
import torch
import torch.distributed as dist
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage
from torch import nn

from msg3d.models import MSG3D, inference
from networks import SMALL, assert_close, pair

CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}


@pytest.fixture
def case():
    """Return (model, reference, input) after one forward pass in eval mode."""
    ours, plain = pair(CHAIN, num_person=2)
    x = torch.rand(3, 2, 9, 5, 3).double()
    x[1, 1] = 0
    ours.eval(), plain.eval()
    check(ours, plain, x)
    return ours, plain, x


def check(ours, plain, x, tolerance=1e-10):
    """Check that the outputs without gradients match, and that the model is folded."""
    before = len(ours._inference._folded)
    with torch.no_grad():
        assert_close(ours(x), plain(x), tolerance)
    assert len(ours._inference._folded) >= max(before, 1)


def noise(model):
    """Return a changed state dict of `model`."""
    generator = torch.Generator().manual_seed(1)
    return {
        key: value + 0.1 * torch.rand(value.shape, generator=generator).to(value)
        if value.is_floating_point() and not key.endswith("A")
        else value
        for key, value in model.state_dict().items()
    }


def load(model):
    model.load_state_dict(noise(model))


def assign(model):
    model.load_state_dict(noise(model), assign=True)


def write_in_place(model):
    with torch.no_grad():
        for key, value in noise(model).items():
            model.state_dict(keep_vars=True)[key].copy_(value)


def write_data(model):
    """Write like MMEngine's EMAHook, without changing torch's version counters."""
    state = noise(model)
    for key, value in model.state_dict(keep_vars=True).items():
        value.data.copy_(state[key])


def replace_data(model):
    state = noise(model)
    for key, value in model.state_dict(keep_vars=True).items():
        value.data = state[key].clone()


def train_and_return(model):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model(torch.rand(2, 2, 9, 5, 3).double()).square().mean().backward()
    optimizer.step()
    model.eval()


def step_in_eval(model):
    """Train the weights in eval mode, with frozen BatchNorms."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model(torch.rand(2, 2, 9, 5, 3).double()).square().mean().backward()
    optimizer.step()


def change_one_statistic(model):
    model.tcn2.branches[1][3].bn.running_mean += 1


def change_one_graph(model):
    with torch.no_grad():
        model.sgcn2[0].PA[2, 3, 4] += 1


CHANGES = [
    load,
    assign,
    write_in_place,
    write_data,
    replace_data,
    train_and_return,
    step_in_eval,
    change_one_statistic,
    change_one_graph,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changes_are_detected(case, change):
    ours, plain, x = case
    with torch.no_grad():
        before = ours(x)
    for _ in range(2):
        change(ours)
        plain.load_state_dict(ours.state_dict())
        check(ours, plain, x)
    with torch.no_grad():
        assert not torch.allclose(ours(x), before)


def test_training_after_inference(case):
    ours, plain, x = case
    ours.train(), plain.train()
    assert_close(ours(x), plain(x))


def test_changes_of_dtype(case):
    ours, plain, x = case
    for model in (ours, plain):
        model.float()
    check(ours, plain, x.float(), 1e-5)
    for dtype in (torch.bfloat16, torch.float16):
        low = copy.deepcopy(ours).to(dtype)
        with torch.no_grad():
            expected = plain(x.float())
            assert low(x.to(dtype)).dtype == dtype
            assert_close(low(x.to(dtype)).float(), expected, 0.05)
        assert_close(low.float()(x.float()), expected, 0.05)
    for model in (ours, plain):
        model.double()
    check(ours, plain, x)


def test_copies_are_independent(case):
    ours, plain, x = case
    twin = copy.deepcopy(ours)
    check(twin, plain, x)
    load(twin)
    check(ours, plain, x)
    plain.load_state_dict(twin.state_dict())
    check(twin, plain, x)


def test_pickles_contain_no_folded_weights(case):
    ours, plain, x = case
    size = len(pickle.dumps(ours))
    ours.train().eval()
    assert len(pickle.dumps(ours)) == size
    check(pickle.loads(pickle.dumps(ours)), plain, x)
    file = io.BytesIO()
    torch.save(ours, file)
    file.seek(0)
    check(torch.load(file, weights_only=False), plain, x)
    assert set(ours.state_dict()) == set(plain.state_dict())


def test_exponential_moving_average(case):
    """MMEngine swaps the weights twice in eval mode."""
    ours, plain, x = case
    hook = EMAHook()
    hook.src_model = ours
    hook.ema_model = ExponentialMovingAverage(ours, momentum=0.5, update_buffers=True)
    load(ours)
    hook.ema_model.update_parameters(ours)
    load(ours)
    hook.ema_model.update_parameters(ours)
    states = copy.deepcopy([ours.state_dict(), hook.ema_model.module.state_dict()])
    check(ours, with_state(plain, states[0]), x)
    hook._swap_ema_parameters()
    check(ours, with_state(plain, states[1]), x)
    hook._swap_ema_parameters()
    check(ours, with_state(plain, states[0]), x)


def with_state(plain, state):
    plain.load_state_dict(state)
    return plain


def test_distributed_data_parallel(case, tmp_path):
    ours, plain, x = case
    store = dist.FileStore(str(tmp_path / "store"), 1)
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(ours)
        with torch.no_grad():
            assert_close(wrapped.eval()(x), plain(x))
        wrapped.train()
        wrapped(x).square().mean().backward()
        torch.optim.SGD(wrapped.parameters(), 0.1).step()
        plain.load_state_dict(ours.state_dict())
        with torch.no_grad():
            assert_close(wrapped.eval()(x), plain(x))
    finally:
        dist.destroy_process_group()


def test_gradients_in_eval_mode(case):
    """Gradients of the input, as for saliency, are not computed by the folded form."""
    ours, plain, x = case
    grads = []
    for model in (ours, plain):
        inputs = x.clone().requires_grad_()
        model(inputs).square().sum().backward()
        grads.append(inputs.grad)
    assert_close(*grads)


def test_inference_mode_and_back(case):
    ours, plain, x = case
    with torch.inference_mode():
        assert_close(ours(x), plain(x))
    check(ours, plain, x)
    ours.train()(x).sum().backward()
    with torch.inference_mode():  # parameters created here have no versions
        ours, plain = pair(CHAIN, num_person=2)
        for model in (ours, plain):
            model.eval()
        assert_close(ours(x), plain(x))
        load(ours)
        assert_close(ours(x), with_state(plain, ours.state_dict())(x))


def test_hooks_and_modules_in_training(case):
    ours, plain, x = case
    shapes = []
    hook = ours.tcn3.register_forward_hook(lambda *args: shapes.append(args[2].shape))
    with torch.no_grad():
        assert_close(ours(x), plain(x))
    assert len(shapes) == 1
    hook.remove()
    check(ours, plain, x)

    model, _ = pair(CHAIN, num_person=2, tcn_dropout=0.5)
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()  # Monte Carlo dropout
    with torch.no_grad():
        assert not torch.allclose(model(x), model(x))


@pytest.fixture
def rows(monkeypatch):
    """Number of persons in each folded forward pass."""
    counts = []
    forward = inference.FoldedMSG3D.forward

    def counting(self, x):
        counts.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(inference.FoldedMSG3D, "forward", counting)
    return counts


@pytest.mark.parametrize("persons", [1, 2, 5])
def test_absent_persons_are_computed_once(rows, persons):
    ours, plain = pair(CHAIN, num_person=persons)
    ours.eval(), plain.eval()
    x = torch.rand(3, persons, 9, 5, 3).double()
    check(ours, plain, x)
    assert sum(rows) == 3 * persons

    rows.clear()
    x[:, 1:] = 0
    check(ours, plain, x)
    absent = persons if persons > 1 else 0  # one per person index
    assert sum(rows) == 3 + absent
    rows.clear()
    check(ours, plain, x)
    assert sum(rows) == 3

    rows.clear()
    check(ours, plain, torch.zeros_like(x))
    assert sum(rows) == (0 if persons > 1 else 1)

    rows.clear()
    check(ours, plain, x[:, :, :4])  # another length
    assert sum(rows) == 3 + absent

    rows.clear()
    load(ours)
    plain.load_state_dict(ours.state_dict())
    check(ours, plain, x[:, :, :4])
    assert sum(rows) == 3 + absent


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("present", [0, 1, 4])
def test_absent_persons_under_autocast(rows, form, dtype, present):
    """Cached and computed values match, and are close to float32."""
    ours, _ = pair(CHAIN, num_person=2, dtype=torch.float32)
    ours.eval()
    x = torch.rand(4, 2, 9, 5, 3)
    x[:, 1] = 0
    x[present:] = 0
    with torch.no_grad():
        precise = ours(x)
        rows.clear()
        with torch.autocast("cpu", dtype=dtype):
            first, second = ours(x), ours(x)
        assert sum(rows) == 2 * present + 2
        folded = ours._inference._folded[dtype]
        computed = folded(folded.normalize(x).flatten(0, 1)).unflatten(0, (4, 2))
    assert first.dtype == dtype
    assert torch.equal(first, second)
    assert_close(first.permute(0, 1, 3, 4, 2).float(), computed.float(), 1e-2)
    assert_close(first.float(), precise, 0.05)


def test_persons_with_nan_are_not_absent(case):
    ours, _, x = case
    x[0] = 0
    x[0, 1, 3, 2, 0] = float("nan")
    with torch.no_grad():
        out = ours(x)
    assert out[0, 1].isnan().any()
    assert not out[0, 0].isnan().any()


def test_large_batches_are_split(rows, monkeypatch):
    ours, plain = pair(CHAIN, num_person=2)
    ours.eval(), plain.eval()
    monkeypatch.setattr(inference, "CACHE_ELEMENTS", 3 * 9 * 5 * 12)
    check(ours, plain, torch.rand(4, 2, 9, 5, 3).double())
    assert rows == [3, 3, 2]


def test_empty_batch(form):
    model = MSG3D({"layout": CHAIN, "mode": "binary_adj"}, **SMALL).eval()
    with torch.no_grad():
        assert model(torch.rand(0, 2, 9, 5, 3)).shape == (0, 2, 48, 3, 5)
