"""Keep metafiles, docs/models.md and README.md's table of models equal to the configs.

    python tools/model_table.py            # says which files are out of date
    python tools/model_table.py --write    # writes them, in a minute

Results and published figures stay as they are in the metafiles: write them there.
"""

import argparse
import sys

from model_index import metafiles, tables
from model_index.describe import Costs


def contents() -> dict:
    """What each file of the index should contain, by its path.

    Raises:
        ValueError: a metafile, a config or README.md needs mending by hand.
    """
    costs = Costs()
    files = {path: metafiles.renewed(path, costs) for path in metafiles.metafiles()}
    index = list(files.values())
    readme = metafiles.REPOSITORY / "README.md"
    return {
        **{path: metafiles.text(content) for path, content in files.items()},
        metafiles.INDEX: metafiles.index_text(),
        metafiles.REPOSITORY / "docs" / "models.md": tables.document(index),
        readme: tables.with_table(readme.read_text(), tables.readme(index)),
    }


def main() -> int:
    """The command; 1 if a file is out of date or cannot be made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--write", action="store_true", help="write what is out of date"
    )
    args = parser.parse_args()
    try:
        wanted = contents()
    except ValueError as error:
        print(f"model_table.py: {error}", file=sys.stderr)
        return 1
    old = [
        path
        for path, content in wanted.items()
        if not path.is_file() or path.read_text() != content
    ]
    for path in old:
        name = path.relative_to(metafiles.REPOSITORY)
        if args.write:
            metafiles.write(path, wanted[path])
            print(f"wrote {name}")
        else:
            print(f"{name} is out of date: run {metafiles.COMMAND}", file=sys.stderr)
    return int(bool(old) and not args.write)


if __name__ == "__main__":
    sys.exit(main())
