"""Run the unit tests with several versions of Python, PyTorch, and NumPy.

    python tools/test_versions.py                 # all rows of the table: about an hour
    python tools/test_versions.py locked-3.10     # one row

Environments are built with uv in work_dirs/versions/, and removed after the tests; logs
remain. PATH must contain python3.10, python3.11, and so on. Results are written to
docs/results/versions.json and to the table in docs/compatibility.md.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from make_venv import python_of

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "docs" / "results" / "versions.json"
PAGE = REPOSITORY / "docs" / "compatibility.md"
START, END = "<!-- versions, from tools/test_versions.py -->", "<!-- end -->"
EXTRAS = "dev,plot,udiva"

# Python version of each row. Rows that are not locked install other package versions.
ROWS = {
    "locked-3.10": "3.10",
    "locked-3.11": "3.11",
    "locked-3.12": "3.12",
    "locked-3.13": "3.13",
    "oldest": "3.10",
    "newest": "3.13",
}
VERSIONS = """
import json, platform, torch, numpy
versions = platform.python_version(), torch.__version__, numpy.__version__
print(json.dumps(dict(zip(("python", "torch", "numpy"), versions))))
"""


def main() -> int:
    """Run the command; return 1 if a test failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    args = parser.parse_args()
    unknown = ", ".join(sorted(set(args.rows) - set(ROWS)))
    if unknown:
        parser.error(f"unknown rows: {unknown}. Choose from {', '.join(ROWS)}")
    failed = 0
    for name in args.rows or ROWS:
        result = test(name, args.keep)
        record(name, result)
        failed += result["failed"]
    return int(failed > 0)


def test(name: str, keep: bool) -> dict:
    """Build the environment of a row, run the unit tests, and return the counts."""
    folder = REPOSITORY / "work_dirs" / "versions" / name
    folder.mkdir(parents=True, exist_ok=True)
    venv, junit = folder / "venv", folder / "junit.xml"
    print(f"{name}: building {venv}", flush=True)
    with (folder / "build.log").open("wb") as log:
        build(name, venv, log)
    python = python_of(venv)
    versions = json.loads(subprocess.check_output([python, "-c", VERSIONS]))
    print(f"{name}: testing {versions}", flush=True)
    command = [python, "-m", "pytest", "-n", "auto", "--dist", "loadfile", "-v"]
    command += ["-m", "not slow and not integration", f"--junitxml={junit}"]
    junit.unlink(missing_ok=True)
    with (folder / "tests.log").open("wb") as log:
        subprocess.run(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    tests, failures, errors, skipped = (
        int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")
    )
    result = {
        **versions,
        "passed": tests - failures - errors - skipped,
        "skipped": skipped,
        "failed": failures + errors,
        "date": date.today().isoformat(),
    }
    print(f"{name}: {result}, logs in {folder}", flush=True)
    if not keep:
        shutil.rmtree(venv)
    return result


def build(name: str, venv: Path, log: BinaryIO) -> None:
    """Install the package and its requirements, in the versions of a row."""

    def run(*command: str) -> None:
        subprocess.run(
            command, check=True, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT
        )

    python = shutil.which(f"python{ROWS[name]}")
    if python is None:
        sys.exit(f"{name}: python{ROWS[name]} is not on PATH")
    install = ["uv", "pip", "install", "--python", python_of(venv)]
    if name.startswith("locked"):
        run(python, "tools/make_venv.py", str(venv))
        run(*install, "--no-deps", "--reinstall-package", "msg3d", ".")
    else:
        pins = [lower_bound("torch"), lower_bound("numpy")] if name == "oldest" else []
        run("uv", "venv", "--clear", "--seed", "--python", python, str(venv))
        run(*install, "--reinstall-package", "msg3d", f".[{EXTRAS}]", *pins)


def lower_bound(package: str) -> str:
    """Return a requirement for the oldest version that pyproject.toml allows."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    return f"{package}==" + re.search(rf'"{package}>=([\d.]+)', text)[1]


def record(name: str, result: dict) -> None:
    """Record the result of a row, and update the table in the documentation."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    results[name] = result
    results = {row: results[row] for row in ROWS if row in results}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_table(page, results), encoding="utf-8")


def with_table(page: str, results: dict) -> str:
    """Return the page with a table of the results."""
    lines = [
        "| versions | Python | torch | NumPy | passed | skipped | failed | date |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for name, row in results.items():
        cells = [name.partition("-")[0], *map(str, row.values())]
        lines.append(f"| {' | '.join(cells)} |")
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    return "\n".join([before + START, *lines, END + after])


if __name__ == "__main__":
    sys.exit(main())
