"""Failures of the stack without msg3d, collected in a separate interpreter."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

FAKE = {
    "transformers-4.40.0.dist-info/METADATA": "Name: transformers\nVersion: 4.40.0\n",
    "transformers/__init__.py": "",
    "transformers/models/__init__.py": "",
    "transformers/models/beit/__init__.py": "",
    "transformers/models/beit/modeling_beit.py": "__getattr__ = lambda n: type(n, (), {})",
}


def fake_transformers(folder: Path) -> Path:
    """Write a package with the parts of transformers that MMAction2 imports first."""
    for name, text in FAKE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "transformers/models/beit/__init__.py").write_text(
        "from .modeling_beit import BeitConfig, BeitModel\n", encoding="utf-8"
    )
    return folder


@functools.cache
def failures() -> dict:
    """Return the error, or None, of each operation that msg3d fixes."""
    with TemporaryDirectory() as folder:
        tests = str(Path(__file__).parent.parent)
        path = [str(fake_transformers(Path(folder))), tests]
        path.append(os.environ.get("PYTHONPATH", ""))
        result = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, folder],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, path)),
                "TORCH_HOME": folder,
                **{"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},
                **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"},
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr[-4000:]
    return json.loads(result.stdout.splitlines()[-1])


def main(folder: Path) -> None:
    """Try the operations in the order in which users need them, and print the errors."""
    errors = {}

    def attempt(name, action):
        try:
            errors[name] = action() and None
        except Exception as error:
            errors[name] = f"{type(error).__name__}: {error}"

    def enter(context):
        with context:
            pass

    def import_models():
        import mmaction.models  # noqa: F401

    sys.modules["importlib_metadata"] = sys.modules["timm"] = None
    attempt("drn", import_models)
    import importlib.metadata
    from types import ModuleType

    name = "mmaction.models.localizers.drn"
    sys.modules[name], sys.modules[f"{name}.drn"] = ModuleType(name), ModuleType(name)
    sys.modules[f"{name}.drn"].DRN = None
    attempt("importlib_metadata", import_models)
    sys.modules["importlib_metadata"] = importlib.metadata
    attempt("multimodal", import_models)
    from mmaction.utils import dependency

    dependency.WITH_MULTIMODAL = False
    import_models()  # all import errors are avoided now

    import numpy as np
    import torch
    from mmaction.datasets.transforms import PoseCompact
    from mmengine.dist import init_dist
    from mmengine.logging import HistoryBuffer
    from mmengine.model import MMDistributedDataParallel
    from mmengine.optim import AmpOptimWrapper
    from mmengine.runner.amp import autocast
    from mmengine.runner.checkpoint import CheckpointLoader

    from samples_of_compat import Malice, head, samples

    keypoint = np.ones((1, 2, 5, 2), dtype=np.float32)
    pose = {"keypoint": keypoint, "img_shape": (9, 9)}
    attempt("numpy_inf", lambda: PoseCompact()(pose))

    torch.save({"log": HistoryBuffer([1.0], [1])}, folder / "log.pth")
    load = functools.partial(CheckpointLoader.load_checkpoint, logger="silent")
    attempt("history_buffer", lambda: load(str(folder / "log.pth")))
    numpy = [np.ones(1).__reduce__()[0], np.ndarray, np.dtype]
    numpy += [type(np.dtype(code)) for code in "dl"]
    with torch.serialization.safe_globals([HistoryBuffer, *numpy]):
        attempt("getattr", lambda: load(str(folder / "log.pth")))

    cache = folder / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(Malice(folder / "ran"), cache / "evil.pth")
    attempt("url", lambda: load("https://nowhere.invalid/evil.pth"))
    errors["url"] = "ran" if (folder / "ran").exists() else None

    import pickle

    import mmengine

    path, marker = folder / "bad.pkl", folder / "pickle_ran"
    path.write_bytes(pickle.dumps(Malice(marker)))
    mmengine.load(path)
    errors["pickle"] = "ran" if marker.exists() else None
    path, marker = folder / "bad.yaml", folder / "yaml_ran"
    path.write_text(f"!!python/object/apply:os.mkdir ['{marker}']", encoding="utf-8")
    mmengine.load(path)
    errors["yaml"] = "ran" if marker.exists() else None

    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    attempt("amp", lambda: AmpOptimWrapper(optimizer=optimizer))
    attempt("float16", lambda: enter(autocast(dtype=torch.float16)))
    scores = torch.zeros(2, 4, dtype=torch.bfloat16)
    attempt("bfloat16", lambda: head().loss_by_feat(scores, samples()))
    attempt("set_device", lambda: init_dist("pytorch"))
    if not torch.distributed.is_initialized():
        store = torch.distributed.HashStore()
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    attempt("device_ids", lambda: MMDistributedDataParallel(model, device_ids=[0]))
    print(json.dumps(errors))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
