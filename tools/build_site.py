"""Build the documentation as a static site, with a gallery of the quickstart's network.

    python tools/build_site.py [--out work_dirs/site]

Runs each command of docs/gallery.md whose figure is older than the checkpoint. Without a
quickstart, the gallery has commands but no figures. Requires `pip install .[dev]`, and no
network.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("sphinx", "furo", "myst_parser", "sphinx_copybutton", "sphinx_design")
NO_FIGURES = (
    "gallery: no figures, because {} does not exist. Run `make quickstart`, then "
    "`make site`. The rest of the site is complete."
)
REQUIRED = (
    "work_dirs/quickstart/last_checkpoint",
    "work_dirs/quickstart/test.pkl",
    "data/skeleton/synthetic.pkl",
)


def commands(page: str) -> dict[str, str]:
    """Return the commands of the gallery: output file -> command.

    Raises:
        ValueError: a block does not have exactly one `--output`.
    """
    commands_of = {}
    for block in re.findall(r"^```shell\n(.*?)^```$", page, re.M | re.S):
        out = re.findall(r"--output (\S+)", block)
        if len(out) != 1:
            raise ValueError(
                f"docs/gallery.md: {block.splitlines()[0]!r} has {len(out)} --output, "
                "expected one in every block"
            )
        commands_of[out[0]] = block
    return commands_of


def draw(repository: Path) -> None:
    """Run the commands of the gallery whose figures are older than the network."""
    missing = [name for name in REQUIRED if not (repository / name).is_file()]
    if missing:
        print(NO_FIGURES.format(missing[0]))
        return
    page = (repository / "docs" / "gallery.md").read_text(encoding="utf-8")
    trained = max((repository / name).stat().st_mtime for name in REQUIRED)
    # The commands run in this environment. UserWarnings come from MMEngine and mmcv.
    env = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for out, command in commands(page).items():
        figure = repository / out
        if figure.is_file() and figure.stat().st_mtime > trained:
            continue
        figure.parent.mkdir(parents=True, exist_ok=True)
        figure.unlink(missing_ok=True)
        print(f"gallery: {out}", flush=True)
        process = subprocess.run(["bash", "-c", command], cwd=repository, env=env)
        if process.returncode:
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
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"build_site.py: requires {', '.join(missing)}: pip install .[dev]",
            file=sys.stderr,
        )
        return 1
    draw(REPOSITORY)
    sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    # Outside of the site.
    cache = out.with_name(f"{out.name}.doctrees")
    code = subprocess.run([*sphinx, "-d", cache, REPOSITORY / "docs", out]).returncode
    if code == 0:
        print(f"site: {out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
