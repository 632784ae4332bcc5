"""Build the environment of `make` from requirements/lock.txt.

    python tools/make_venv.py .venv [PIP_OPTION...]

Any Python that starts this script will do. The environment gets the same one if it is
supported, and otherwise the newest supported one on PATH. uv is used if it is installed.
On Linux without an NVIDIA GPU, PyTorch's CPU build is installed where its index can be
reached: it is a tenth of the size of the CUDA build.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "lock.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SUPPORTED = ["3.13", "3.12", "3.11", "3.10"]
DESCRIBE = "import platform; print(platform.python_version(), platform.machine())"


def main(folder: str, *options: str) -> None:
    python, version, machine = find_python()
    uv = shutil.which("uv")
    # PyPI's builds for other platforms are for the CPU.
    cpu = sys.platform == "linux" and machine == "x86_64" and not has_gpu()
    build = "CPU build, because there is no GPU" if cpu else "PyPI's build"
    print(
        f"{folder}: Python {version}, {'uv' if uv else 'pip'}, PyTorch: {build}",
        flush=True,
    )

    inside = python_of(Path(folder))
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--seed", "--python", python, folder)
        install = [uv, "pip", "install", "--python", inside, *options]
    else:
        run(python, "-m", "venv", "--clear", folder)
        install = [inside, "-m", "pip", "install", *options]

    torch = [*install, "--constraint", str(LOCK), "torch"]
    if cpu:
        once = [] if uv else ["--retries", "1"]
        small = [*torch, *once, "--no-deps", "--index-url", CPU_INDEX]
        if subprocess.call(small) != 0:
            print(f"{CPU_INDEX} is out of reach: installing PyPI's build", flush=True)
    # The lock file has all packages except those that only CUDA builds of PyTorch require.
    run(*torch)
    # MMAction2 requires decord, which has no wheel for some platforms, and which skeleton
    # networks do not use.
    run(*install, "--no-deps", "--requirement", str(LOCK))
    check(inside)


def find_python() -> tuple:
    """Return a supported Python: its command, version, and architecture."""
    for python in [sys.executable, *(f"python{version}" for version in SUPPORTED)]:
        try:
            printed = subprocess.check_output(
                [python, "-c", DESCRIBE], stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError):  # pyenv's commands may fail
            continue
        version, machine = printed.decode().split()
        if version.rpartition(".")[0] in SUPPORTED:
            return python, version, machine
    this, machine = platform.python_version(), platform.machine()
    wanted = f"msg3d is tested with Python {SUPPORTED[-1]} to {SUPPORTED[0]}"
    if sys.version_info > (3, 13):
        print(f"{wanted}, and this is {this}", flush=True)
        return sys.executable, this, machine
    sys.exit(
        f"{wanted}, but this is {this}, and no other is on PATH. Install one, and run "
        "make PYTHON=/path/to/python3.12"
    )


def python_of(folder: Path) -> str:
    """Return the path of the Python of an environment."""
    windows = sys.platform == "win32"
    return str(folder / ("Scripts/python.exe" if windows else "bin/python"))


def has_gpu() -> bool:
    """Return whether NVIDIA's driver lists a GPU."""
    try:
        listed = subprocess.check_output(
            ["nvidia-smi", "-L"], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return b"GPU" in listed


def check(python: str) -> None:
    """Let `pip check` list broken requirements, and accept those of decord."""
    command = [python, "-m", "pip", "check"]
    lines = subprocess.run(command, stdout=subprocess.PIPE).stdout.decode().splitlines()
    broken = [line for line in lines if "No broken" not in line]
    for line in broken:
        print(line, "(expected: docs/compatibility.md)" if "decord" in line else "")
    if any("decord" not in line for line in broken):
        sys.exit("the packages of requirements/lock.txt do not fit together")


def run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
