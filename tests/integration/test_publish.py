"""`mim run msg3d publish_model`, which starts other processes."""

import torch

from in_process import command
from msg3d.checkpoints import rewrite
from samples_of_compat import Malice


def test_publish_model(tmp_path, monkeypatch):
    """Checkpoints with code are rejected with our message; `.safetensors` is accepted."""
    torch.save({"state_dict": {}, "a": Malice(tmp_path / "ran")}, tmp_path / "evil.pth")
    out = tmp_path / "out.pth"
    text = command(monkeypatch, "publish_model", tmp_path / "evil.pth", out)
    assert "evil.pth" in text
    assert "eval" in text.replace("evil.pth", "")
    assert "\n" not in text
    assert "weights_only" not in text
    assert not (tmp_path / "ran").exists()
    assert not out.exists()
    weights = {"fc.weight": torch.arange(4.0)}
    torch.save({"state_dict": weights, "meta": {}}, tmp_path / "x.pth")
    rewrite(str(tmp_path / "x.pth"), str(tmp_path / "x.safetensors"))
    for source in ("x.pth", "x.safetensors"):
        assert command(monkeypatch, "publish_model", tmp_path / source, out) is None
        (published,) = tmp_path.glob("out_*-*.pth")
        assert torch.equal(
            torch.load(published)["state_dict"]["fc.weight"], torch.arange(4.0)
        )
        published.unlink()
