"""Update the tables of docs/errors.md from the error kinds in the code.

    python tools/error_table.py            # check whether the page is up to date
    python tools/error_table.py --write    # update the page

Edit the meanings of faults of annotation files in the page, which keeps them.
"""

import argparse
import re
import sys
from pathlib import Path

from msg3d.annotations import faults
from msg3d.errors import KINDS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "errors.md"


def renewed(page: str) -> str:
    """Return the page with updated tables."""
    row = re.compile(r"^\| `(.+)` \| (?:error|warning) \| (.+) \|$", re.M)
    meanings = dict(row.findall(page))
    errors = [f"| `{kind}` | {meaning} |" for kind, meaning in KINDS.items()]
    page = _with_rows(page, "| kind | meaning |", errors)
    rows = [
        f"| `{kind}` | {severity} | {meanings.get(kind, '')} |"
        for kind, severity in faults.KINDS.items()
    ]
    return _with_rows(page, "| kind | severity | meaning |", rows)


def _with_rows(page: str, heading: str, rows: list[str]) -> str:
    """Return the page with these rows in the table with this heading."""
    before, after = page.split(f"{heading}\n")
    rule, *lines = after.split("\n")
    while lines[0].startswith("|"):
        del lines[0]
    return "\n".join([f"{before}{heading}", rule, *rows, *lines])


def main() -> int:
    """Run the command; return 1 if the page is out of date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="update the page")
    args = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    text = renewed(page)
    if args.write:
        PAGE.write_text(text, encoding="utf-8")
    elif text != page:
        print(
            f"{PAGE.name} is out of date. Run python tools/error_table.py --write",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
