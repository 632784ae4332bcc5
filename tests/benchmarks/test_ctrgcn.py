"""CTR-GCN of the benchmarks: equations of the paper, size, and persons."""

import pytest
import torch

from benchmarks.ctrgcn import CTRGC, CTRGCN
from msg3d.apis.flops import flop_counter

NTU = {"layout": "nturgb+d", "mode": "spatial"}


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = CTRGCN(NTU).double()
    for name, parameter in network.named_parameters():
        if name.endswith("alpha"):
            parameter.data.fill_(0.5)  # The initial 0 disables the refinement.
    return network


def clips(count, frames=8):
    return torch.randn(count, 2, frames, 25, 3, dtype=torch.float64)


def test_graph_convolution_follows_the_equations():
    torch.manual_seed(0)
    conv = CTRGC(16, 4, torch.rand(5, 5)).double()
    x, alpha = torch.randn(2, 16, 3, 5, dtype=torch.float64), 0.7

    def linear(layer, vector):
        return layer.weight[:, :, 0, 0] @ vector + layer.bias

    expected = torch.zeros(2, 4, 3, 5, dtype=torch.float64)
    for r, t, i, j in torch.cartesian_prod(*map(torch.arange, (2, 3, 5, 5))):
        phi, psi = (
            torch.stack([linear(layer, frame) for frame in x[r, :, :, joint].T]).mean(0)
            for layer, joint in ((conv.phi, i), (conv.psi, j))
        )
        refined = alpha * linear(conv.xi, torch.tanh(phi - psi))
        features = linear(conv.weight, x[r, :, t, j])
        expected[r, :, t, i] += (conv.adjacency[i, j] + refined) * features
    torch.testing.assert_close(conv(x, alpha), expected)


def test_size_is_the_published_one():
    network = CTRGCN(NTU).eval()
    head = (256 + 1) * 120
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert (parameters + head) / 1e6 == pytest.approx(1.46, abs=0.005)
    with flop_counter() as counter, torch.no_grad():
        out = network(torch.randn(1, 2, 64, 25, 3))
    assert out.shape == (1, 2, 256, 16, 25)
    # The paper reports 1.97 for all operations, with φ and ψ applied to each frame.
    assert counter.get_total_flops() / 2e9 == pytest.approx(1.77, abs=0.005)


def test_every_parameter_has_a_gradient(network):
    out = network(clips(2))
    (out * torch.randn_like(out)).sum().backward()
    without = [
        name for name, p in network.named_parameters() if not p.grad.abs().sum() > 0
    ]
    assert without == []


def test_permutation_of_persons(network):
    """After data_bn, which knows the order, each person is processed separately."""
    x = clips(2)
    with torch.no_grad():
        network(clips(4))  # updates the statistics
        network.eval()
        for values in (
            network.data_bn.running_mean,
            network.data_bn.running_var,
            network.data_bn.weight,
            network.data_bn.bias,
        ):
            values.view(2, -1)[1] = values.view(2, -1)[0]
        torch.testing.assert_close(network(x.flip(1)), network(x).flip(1))
        single = torch.stack([x[0, 0], torch.zeros_like(x[0, 0])])[None]
        torch.testing.assert_close(network(single)[0, 0], network(x)[0, 0])
