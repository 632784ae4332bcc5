"""Build the documentation as a static site, with a gallery of the quickstart's network.

    python tools/build_site.py [--out work_dirs/site]

Runs the commands of docs/gallery.md, each unless what it draws is newer than the
checkpoint; without a quickstart the site has the commands and no pictures. Needs
`pip install .[dev]`, and no network.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LACKING = (
    "gallery: left without pictures, there is no {}: `make quickstart` makes it, then "
    "`make site` draws them; the rest of the site is whole"
)
NEEDED = (
    "work_dirs/quickstart/last_checkpoint",
    "work_dirs/quickstart/test.pkl",
    "data/skeleton/synthetic.pkl",
)


def commands(page: str) -> dict[str, str]:
    """The gallery's commands, by the file that each writes.

    Raises:
        ValueError: a block is not one command with one `--output`.
    """
    found = {}
    for block in re.findall(r"^```shell\n(.*?)^```$", page, re.M | re.S):
        out = re.findall(r"--output (\S+)", block)
        if len(out) != 1:
            raise ValueError(
                f"docs/gallery.md: {block.splitlines()[0]!r} has {len(out)} --output, "
                "expected one in every block"
            )
        found[out[0]] = block
    return found


def draw(repository: Path) -> None:
    """Runs those commands of the gallery whose pictures are older than the network."""
    lacking = [name for name in NEEDED if not (repository / name).is_file()]
    if lacking:
        print(LACKING.format(lacking[0]))
        return
    page = (repository / "docs" / "gallery.md").read_text(encoding="utf-8")
    trained = max((repository / name).stat().st_mtime for name in NEEDED)
    # The commands' own `python` is this one. UserWarning: the stack's own.
    env = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for out, command in commands(page).items():
        picture = repository / out
        if picture.is_file() and picture.stat().st_mtime > trained:
            continue
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.unlink(missing_ok=True)
        print(f"gallery: {out}", flush=True)
        code = subprocess.run(["bash", "-c", command], cwd=repository, env=env)
        if code.returncode:
            sys.exit(
                f"build_site.py: this command of docs/gallery.md failed:\n{command}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=REPOSITORY / "work_dirs" / "site",
        help="folder of the site (default: work_dirs/site)",
    )
    out = parser.parse_args().out.resolve()
    lacking = [
        name
        for name in ("sphinx", "furo", "myst_parser")
        if importlib.util.find_spec(name) is None
    ]
    if lacking:
        print(
            f"build_site.py: needs {', '.join(lacking)}: pip install .[dev]",
            file=sys.stderr,
        )
        return 1
    draw(REPOSITORY)
    sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    # Its cache is no part of the site.
    cache = out.with_name(f"{out.name}.doctrees")
    code = subprocess.run([*sphinx, "-d", cache, REPOSITORY / "docs", out]).returncode
    if code == 0:
        print(f"site: {out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
