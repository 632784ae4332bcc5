"""Run the unit tests with several versions of Python, PyTorch, and NumPy.

    python tools/test_versions.py                 # every row of the table, hours
    python tools/test_versions.py locked-3.10     # some of them

Environments are built with uv in work_dirs/versions/, where the logs stay, and removed
after their tests. PATH needs a python3.10, python3.11, and so on. A row's result goes to
docs/results/versions.json, and from there into the table of docs/compatibility.md.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "docs" / "results" / "versions.json"
PAGE = REPOSITORY / "docs" / "compatibility.md"
START, END = "<!-- versions, from tools/test_versions.py -->", "<!-- end -->"
EXTRAS = "dev,plot,udiva"

# The Python of each row, and what it installs other than requirements/lock.txt.
ROWS = {
    "locked-3.10": ("3.10", None),
    "locked-3.11": ("3.11", None),
    "locked-3.12": ("3.12", None),
    "locked-3.13": ("3.13", None),
    "oldest": ("3.10", "the oldest torch and numpy of pyproject.toml"),
    "newest": ("3.13", "the newest versions that pyproject.toml allows"),
}
VERSIONS = """
import json, os, platform, torch, numpy
print(json.dumps(dict(
    python=platform.python_version(), torch=torch.__version__, numpy=numpy.__version__,
    system=f"{platform.system()} {platform.machine()}", cores=os.cpu_count(),
)))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--tests", nargs="*", default=[], help="only these tests")
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    args = parser.parse_args()
    unknown = set(args.rows) - set(ROWS)
    if unknown:
        parser.error(
            f"no row {', '.join(sorted(unknown))}: choose from {', '.join(ROWS)}"
        )
    failed = 0
    for name in args.rows or ROWS:
        result = test(name, args.tests, args.keep)
        failed += result["failed"]
        if not args.tests:
            record(name, result)
    return int(failed > 0)


def test(name: str, tests: list, keep: bool) -> dict:
    """Build the environment of a row, run the unit tests, and return what they gave."""
    folder = REPOSITORY / "work_dirs" / "versions" / name
    folder.mkdir(parents=True, exist_ok=True)
    venv, junit = folder / "venv", folder / "junit.xml"
    print(f"{name}: building {venv}", flush=True)
    with (folder / "build.log").open("wb") as log:
        build(name, venv, log)
    windows = sys.platform == "win32"
    python = str(venv / ("Scripts/python.exe" if windows else "bin/python"))
    versions = json.loads(subprocess.check_output([python, "-c", VERSIONS]))
    print(f"{name}: testing {versions}", flush=True)
    start = time.monotonic()
    command = [python, "-m", "pytest", "-n", "auto", "--dist", "loadfile", "-v"]
    command += ["-m", "not slow and not integration", f"--junitxml={junit}", *tests]
    junit.unlink(missing_ok=True)
    with (folder / "tests.log").open("wb") as log:
        subprocess.run(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)
    seconds = time.monotonic() - start
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    count = {
        key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")
    }
    failed = count["failures"] + count["errors"]
    result = dict(
        versions,
        passed=count["tests"] - failed - count["skipped"],
        skipped=count["skipped"],
        failed=failed,
        minutes=round(seconds / 60, 1),
        date=date.today().isoformat(),
    )
    print(f"{name}: {result['passed']} passed, {failed} failed: {folder}", flush=True)
    if not keep:
        shutil.rmtree(venv)
    return result


def build(name: str, venv: Path, log) -> None:
    def run(*command) -> None:
        subprocess.run(
            command, check=True, stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY
        )

    version, changed = ROWS[name]
    python = shutil.which(f"python{version}")
    if python is None:
        sys.exit(f"{name}: there is no python{version} on PATH")
    if changed is None:
        run(python, "tools/make_venv.py", str(venv))
    else:
        run("uv", "venv", "--clear", "--seed", "--python", python, str(venv))
        bounds = [f"{package}=={oldest(package)}" for package in ("torch", "numpy")]
        pins = bounds if name == "oldest" else []
        install = ["uv", "pip", "install", "--python", str(venv)]
        run(*install, f".[{EXTRAS}]", *pins)
    run(
        "uv",
        "pip",
        "install",
        "--python",
        str(venv),
        "--no-deps",
        "--reinstall-package",
        "msg3d",
        ".",
    )


def oldest(package: str) -> str:
    """Return the lower bound of a requirement in pyproject.toml."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(rf'"{package}>=([\d.]+)', text)[1]


def record(name: str, result: dict) -> None:
    """Write a row's result, and the table of all rows into the documentation."""
    results = (
        json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    )
    results[name] = result
    results = {row: results[row] for row in ROWS if row in results}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(
        with_table(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8"
    )


def with_table(page: str, results: dict) -> str:
    """Return the page with the table of these results."""
    lines = [
        "| versions | Python | torch | NumPy | passed | skipped | failed | minutes | date |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, row in results.items():
        keys = (
            "python",
            "torch",
            "numpy",
            "passed",
            "skipped",
            "failed",
            "minutes",
            "date",
        )
        cells = [name.split("-")[0], *(str(row[key]) for key in keys)]
        lines.append(f"| {' | '.join(cells)} |")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return "\n".join([before + START, *lines, END + after])


if __name__ == "__main__":
    sys.exit(main())
