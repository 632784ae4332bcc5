"""What is installed is what the repository holds."""

import json
import os
import re
import subprocess
import sys
import zipfile

from conftest import REPOSITORY


def test_wheel_carries_configs_and_tools(checkout, tmp_path):
    subprocess.check_call(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(tmp_path),
            str(checkout),
        ]
    )
    packed = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    sources = checkout / "projects"
    files = {
        path.relative_to(sources).as_posix()
        for path in (sources / "msg3d").rglob("*")
        if path.is_file()
    }
    assert len(files) > 50
    assert files <= packed
    assert not any(name.startswith(("tests", "tools")) for name in packed)


def test_mim_searches_what_is_installed(checkout, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.check_call(
        [*pip, "--no-build-isolation", "--target", str(target), str(checkout)]
    )
    code = (
        "import json, sys; from mim.commands.search import get_model_info as search; "
        "every = search('msg3d', to_dict=True); "
        "some = search('msg3d', models=['ms-g3d'], training_datasets=['NTU60-XSub-2D'],"
        " filter_conditions='parameters<3000000', to_dict=True); "
        "import msg3d; json.dump([msg3d.__file__, every, some], sys.stdout)"
    )
    out = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        text=True,
    )
    package, every, some = json.loads(out)
    assert package == str(target / "msg3d" / "__init__.py")
    configs = (checkout / "projects" / "msg3d").glob("configs/[!_]*/*.py")
    assert set(every) == {path.stem for path in configs}
    for model in every.values():
        assert (target / "msg3d" / model["config"]).is_file()
    streams = ("joint", "bone", "joint-motion", "bone-motion")
    assert set(some) == {
        f"msg3d_8xb16-{stream}-u100-80e_ntu60-xsub-keypoint-2d" for stream in streams
    }


def test_make_lists_its_targets():
    out = subprocess.check_output(["make"], cwd=REPOSITORY, text=True)
    for target in ("venv", "quickstart", "test", "lint"):
        assert re.search(rf"^make {target}\b", out, re.MULTILINE)


def test_import_is_light():
    """`import msg3d` brings no drawing, video or export library by itself."""
    code = (
        "import sys, mmaction.registry, mmengine.runner; before = set(sys.modules); "
        "import msg3d.skeletons; "
        "print([m for m in ('onnx', 'seaborn', 'tensorboard') if m in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-W", "ignore", "-c", code])
    assert out.decode().strip().splitlines()[-1] == "[]"


def test_pre_commit_has_the_locked_ruff():
    lock = (REPOSITORY / "requirements/lock.txt").read_text()
    (version,) = re.findall(r"^ruff==(\S+)$", lock, re.MULTILINE)
    hooks = (REPOSITORY / ".pre-commit-config.yaml").read_text()
    assert f"rev: v{version}\n" in hooks
