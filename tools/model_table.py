"""Update the metafiles, docs/models.md, and README.md's table of models.

    python tools/model_table.py            # lists the files that are out of date
    python tools/model_table.py --write    # updates them; takes a minute

Write Collections, and the Results and Weights of models, into the metafiles by hand.
"""

import argparse
import sys

from model_index import metafiles, tables


def contents() -> dict:
    """Return the text that each file of the index should have, by path.

    Raises:
        ValueError: a metafile, a config, or a document needs a correction by hand.
    """
    files, index = {}, []
    for path in metafiles.metafiles():
        models = metafiles.renewed(path)
        files[path] = metafiles.with_models(path.read_text(encoding="utf-8"), models)
        index.append({**metafiles.read(path), "Models": models})
    for name, table in (
        ("README.md", tables.readme),
        ("docs/models.md", tables.document),
    ):
        path = metafiles.REPOSITORY / name
        files[path] = tables.with_table(path.read_text(encoding="utf-8"), table(index))
    return files


def main() -> int:
    """Run the command; return 1 if a file is out of date or cannot be made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="update the files")
    args = parser.parse_args()
    try:
        files = contents()
    except ValueError as error:
        print(f"model_table.py: {error}", file=sys.stderr)
        return 1
    stale = [
        path for path, text in files.items() if path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        name = path.relative_to(metafiles.REPOSITORY)
        if args.write:
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {name}")
        else:
            print(f"{name} is out of date: run with --write", file=sys.stderr)
    return int(bool(stale) and not args.write)


if __name__ == "__main__":
    sys.exit(main())
