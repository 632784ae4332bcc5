"""Wheel and source distribution: contents, metadata, and use without the repository."""

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conftest import REPOSITORY, copy_repository, user_env
from tiny_runs import SHORT_TRAINING

USE = """
prepare synthetic data.pkl --subjects 4 --repeats 1
check data.pkl
new-config data.pkl mine.py
train mine.py --work-dir work --cfg-options {small}
test mine.py work/epoch_1.pth --dump scores.pkl --cfg-options {small}
predict work/epoch_1.pth data.pkl --output predictions
visualize confusion scores.pkl --output confusion.png
visualize play data.pkl --output play.html
configs
info
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Paths of the wheel and of the source distribution that it is built from."""
    folder = tmp_path_factory.mktemp("built")
    checkout = copy_repository(folder / "checkout")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
    result = subprocess.run([*build, checkout], text=True, capture_output=True)
    assert result.returncode == 0, result.stderr[-4000:]
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_contents(built):
    """The wheel contains the package, configs, and model index, and nothing else."""
    wheel, source = built
    names = set(zipfile.ZipFile(wheel).namelist())
    package = REPOSITORY / "projects" / "msg3d"
    expected = {
        f"msg3d/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    expected |= {
        f"msg3d/{path.relative_to(REPOSITORY).as_posix()}"
        for path in (REPOSITORY / "configs").rglob("*.*")
        if path.is_file() and path.suffix != ".pyc"
    }
    for name in (
        "py.typed",
        ".mim/model-index.yml",
        "configs/_base_/default_runtime.py",
    ):
        assert f"msg3d/{name}" in expected
    assert expected <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top.partition("-")[0] for top in tops} == {"msg3d", "msg3d_onnx"}
    with tarfile.open(source) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "setup.py"} <= files
    assert not any(name.startswith("tests/") for name in files)


def test_metadata(built):
    """The README has absolute links, because a package index does not host the files."""
    twine = [sys.executable, "-m", "twine", "check", "--strict", *built]
    result = subprocess.run(twine, text=True, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(built[0]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        fields = email.message_from_bytes(wheel.read(name))
    assert fields["License-Expression"] == "Apache-2.0"
    assert fields["Requires-Python"] == ">=3.10"
    text = fields.get_payload(decode=True).decode()
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) > 20
    assert all(link.startswith("https://") for link in links)


def test_mim_searches_the_installed_package(built, tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.check_call([*pip, "--target", target, built[0]])
    code = (
        "import json, sys; from mim.commands.search import get_model_info as search; "
        "all_models = search('msg3d', to_dict=True); "
        "matches = search('msg3d', models=['ms-g3d'], training_datasets=['NTU60-XSub-2D'],"
        " filter_conditions='parameters<3000000', to_dict=True); "
        "import msg3d; json.dump([msg3d.__file__, all_models, matches], sys.stdout)"
    )
    out = subprocess.check_output(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        text=True,
    )
    package, all_models, matches = json.loads(out)
    assert package == str(target / "msg3d" / "__init__.py")
    configs = (REPOSITORY / "projects" / "msg3d").glob("configs/[!_]*/*.py")
    assert set(all_models) == {path.stem for path in configs}
    for model in all_models.values():
        assert (target / "msg3d" / model["config"]).is_file()
    streams = ("joint", "bone", "joint-motion", "bone-motion")
    assert set(matches) == {
        f"msg3d_8xb16-{stream}-u100-80e_ntu60-xsub-keypoint-2d" for stream in streams
    }


def required_by(package: str) -> dict[str, metadata.Distribution]:
    """Return a distribution and all its requirements, from the test environment."""
    collected: dict[str, metadata.Distribution] = {}
    queue, queued = [(package, "")], {(package, "")}
    for name, extra in queue:  # grows in the loop
        try:
            collected[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # decord has no wheel for some platforms
        for line in collected[name].requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or marker.evaluate({"extra": extra}):
                pairs = {(requirement.name, key) for key in ("", *requirement.extras)}
                queue += pairs - queued
                queued |= pairs
    return collected


@pytest.fixture(scope="module")
def clean(built, tmp_path_factory):
    """Folder with the commands of a new environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    distributions = required_by("msg3d")
    del distributions["msg3d"]
    for distribution in distributions.values():
        for file in distribution.files or ():
            link, source = site / file, Path(distribution.locate_file(file))
            shared = link.is_symlink()  # several OpenCV packages contain the same files
            if source.is_file() and ".." not in file.parts and not shared:
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source)
    pip = [sys.executable, "-m", "pip", f"--python={folder / 'bin' / 'python'}"]
    subprocess.check_call([*pip, "install", "-q", "--no-deps", "--no-index", built[0]])
    return folder / "bin"


def test_commands_in_an_empty_folder(clean, tmp_path):
    env = {**user_env(), "PATH": f"{clean}:/usr/bin:/bin"}
    for line in USE.format(small=" ".join(SHORT_TRAINING)).strip().splitlines():
        command = [clean / "msg3d", *line.split()]
        result = subprocess.run(
            command, cwd=tmp_path, env=env, text=True, capture_output=True
        )
        assert result.returncode == 0, (
            f"{line}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        )
    names = (
        "scores.pkl",
        "predictions",
        "confusion.png",
        "play.html",
        "work/epoch_1.pth",
    )
    assert all((tmp_path / name).exists() for name in names)
    assert re.search(r"^msg3d\s", result.stdout, re.MULTILINE)


def test_make_lists_its_targets():
    out = subprocess.check_output(["make"], cwd=REPOSITORY, text=True)
    for target in ("venv", "quickstart", "test", "lint"):
        assert re.search(rf"^make {target}\b", out, re.MULTILINE)


def test_import_is_light():
    """Importing msg3d imports no drawing, video, or export library."""
    code = (
        "import sys, mmaction.registry, mmengine.runner; before = set(sys.modules); "
        "import msg3d.skeletons; "
        "print([m for m in ('onnx', 'seaborn', 'tensorboard') if m in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-W", "ignore", "-c", code])
    assert out.decode().strip().splitlines()[-1] == "[]"


def test_pre_commit_uses_the_locked_ruff():
    lock = (REPOSITORY / "requirements/lock.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^ruff==(\S+)$", lock, re.MULTILINE)
    hooks = (REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert f"rev: v{version}\n" in hooks
