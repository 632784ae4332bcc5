"""The process that `memory` starts: one training step, and how much it took.

python -m benchmarks.memory_step '{"name": "msg3d", "layout": "coco", ...}'
"""

import ctypes
import json
import resource
import sys
import warnings
from argparse import Namespace
from pathlib import Path

warnings.filterwarnings("ignore", category=UserWarning)

import torch  # noqa: E402

from .networks import build  # noqa: E402
from .precision import settings, storage  # noqa: E402
from .steps import keypoints, train_step  # noqa: E402


def main() -> None:
    wanted = Namespace(**json.loads(sys.argv[1]))
    torch.set_num_threads(wanted.threads)
    network = build(wanted.name, wanted.layout, wanted)
    network = network.to(wanted.device, storage(wanted.dtype))
    clips = keypoints(wanted.batch, wanted.layout, wanted, wanted.dtype)
    with settings(wanted.dtype):
        # The first step also loads kernels, whatever its size: that of one short clip.
        train_step(network, clips[:1, :, :8].clone(), wanted.dtype)()
        network.zero_grad()
        gauge = _on_gpu if wanted.device == "cuda" else _on_cpu
        grown = gauge(train_step(network, clips, wanted.dtype))
    print(json.dumps(dict(bytes=grown)))


def _on_gpu(step) -> int:
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _on_cpu(step) -> int:
    _give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
        before, peak = _status("VmRSS"), lambda: _status("VmHWM")
    except OSError:  # not Linux: the peak so far, which loading may have set
        before, peak = _max_rss(), _max_rss
    step()
    return peak() - before


def _give_back() -> None:
    """Memory that is free but still the process's would hide what the step takes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        pass  # not glibc


def _status(field: str) -> int:
    """Bytes, from the kernel."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}")


def _max_rss() -> int:
    """Bytes; the kernel counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
