"""GitHub workflows run targets of the Makefile on the supported Python versions."""

import re

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from conftest import REPOSITORY, pyproject

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"^\s*make ((?:[a-z]\S* ?)+)", re.MULTILINE)


def read(path):
    return path.read_text(encoding="utf-8")


def jobs(path):
    return yaml.safe_load(read(path))["jobs"]


def commands(path):
    """Return the shell commands of a workflow or script."""
    if path.suffix != ".yml":
        return read(path)
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    return "\n".join(step["run"] for step in steps if "run" in step)


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, REPOSITORY / ".ci" / "run"], ids=lambda path: path.name
)
def test_make_targets_exist(path):
    targets = re.findall(r"^([a-z-]+):.*## ", read(REPOSITORY / "Makefile"), re.M)
    used = [name for line in MAKE.findall(commands(path)) for name in line.split()]
    assert used
    assert set(used) <= set(targets)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_are_limited(path):
    """Jobs have a time limit, and the token is read-only by default."""
    assert yaml.safe_load(read(path))["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 120 for job in jobs(path).values())


def test_supported_python_versions_are_tested():
    project = pyproject()["project"]
    supported = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$",
        "\n".join(project["classifiers"]),
        re.M,
    )
    ci = jobs(REPOSITORY / ".github" / "workflows" / "ci.yml")
    tested = ci["test"]["strategy"]["matrix"]["python"]
    assert tested == supported
    required = SpecifierSet(project["requires-python"])
    minors = sorted(int(version.split(".")[1]) for version in tested)
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert all(f"3.{minor}" in required for minor in minors)
    assert f"3.{minors[0] - 1}" not in required
