"""Create the virtual environment of `make` from requirements/lock.txt.

    python tools/make_venv.py .venv [PIP_OPTION...]

Run this script with any Python. The environment uses the same version if it is supported,
and otherwise the newest supported version on PATH. uv is used if it is installed. On Linux
without an NVIDIA GPU, the CPU build of PyTorch is installed if its index is reachable. It
has a tenth of the size of the CUDA build.
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
    # For other platforms, PyPI has only CPU builds.
    cpu = sys.platform == "linux" and machine == "x86_64" and not has_gpu()
    build = "CPU build (no GPU detected)" if cpu else "build from PyPI"
    print(
        f"{folder}: Python {version}, {'uv' if uv else 'pip'}, PyTorch: {build}",
        flush=True,
    )

    venv_python = python_of(Path(folder))
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--seed", "--python", python, folder)
        # Like pip: otherwise, where PYTHONDONTWRITEBYTECODE is set, each start compiles
        # every module again, which takes longer than all else.
        install = [uv, "pip", "install", "--compile-bytecode"]
        install += ["--python", venv_python, *options]
    else:
        run(python, "-m", "venv", "--clear", folder)
        install = [venv_python, "-m", "pip", "install", *options]

    torch = [*install, "--constraint", str(LOCK), "torch"]
    if cpu:
        retries = [] if uv else ["--retries", "1"]
        command = [*torch, *retries, "--no-deps", "--index-url", CPU_INDEX]
        if subprocess.call(command) != 0:
            print(f"cannot reach {CPU_INDEX}: installing from PyPI", flush=True)
    # The lock file lacks only the packages that CUDA builds of PyTorch require.
    run(*torch)
    # MMAction2 requires decord. Some platforms have no wheel of it, and skeleton networks
    # do not use it.
    run(*install, "--no-deps", "--requirement", str(LOCK))
    check(venv_python)


def find_python() -> tuple:
    """Return the command, version, and architecture of a supported Python."""
    for python in [sys.executable, *(f"python{version}" for version in SUPPORTED)]:
        try:
            output = subprocess.check_output(
                [python, "-c", DESCRIBE], stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError):  # pyenv's commands may fail
            continue
        version, machine = output.decode().split()
        if version.rpartition(".")[0] in SUPPORTED:
            return python, version, machine
    version, machine = platform.python_version(), platform.machine()
    supported = f"msg3d is tested with Python {SUPPORTED[-1]} to {SUPPORTED[0]}"
    if sys.version_info > (3, 13):
        print(f"{supported}, but this is {version}", flush=True)
        return sys.executable, version, machine
    sys.exit(
        f"{supported}, but this is {version}, and no supported version is on PATH. "
        "Install one, and run make PYTHON=/path/to/python3.12"
    )


def python_of(folder: Path) -> str:
    """Return the path of the Python executable of an environment."""
    windows = sys.platform == "win32"
    return str(folder / ("Scripts/python.exe" if windows else "bin/python"))


def has_gpu() -> bool:
    """Return whether the NVIDIA driver lists a GPU."""
    try:
        output = subprocess.check_output(
            ["nvidia-smi", "-L"], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return b"GPU" in output


def check(python: str) -> None:
    """Run `pip check`, and exit if a requirement other than decord is broken."""
    command = [python, "-m", "pip", "check"]
    lines = subprocess.run(command, stdout=subprocess.PIPE).stdout.decode().splitlines()
    broken = [line for line in lines if "No broken" not in line]
    for line in broken:
        print(line, "(expected: docs/compatibility.md)" if "decord" in line else "")
    if any("decord" not in line for line in broken):
        sys.exit("the packages of requirements/lock.txt are incompatible")


def run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
