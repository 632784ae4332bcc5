"""Update the metafiles and docs/models.md, including the table of shipped weights.

    python tools/model_table.py            # lists the files that are out of date
    python tools/model_table.py --write    # updates them; takes a minute

Collections, and the Results and Weights of models, are written by hand in the metafiles.
"""

import argparse
import sys

from model_index import cards, metafiles, tables

from msg3d.checkpoints.shipped import card_of, shipped_weights


def contents() -> dict:
    """Return the up-to-date text of each file of the index, by path.

    Raises:
        ValueError: a metafile, a config, or the document must be corrected by hand.
    """
    files, index = {}, []
    for path in metafiles.metafiles():
        models = metafiles.renewed(path)
        files[path] = metafiles.with_models(path.read_text(encoding="utf-8"), models)
        index.append({**metafiles.read(path), "Models": models})
    path = metafiles.REPOSITORY / "docs" / "models.md"
    text = path.read_text(encoding="utf-8")
    text = tables.with_table(text, tables.document(index))
    weights = cards.table({name: card_of(name) for name in shipped_weights()})
    files[path] = tables.with_table(text, weights, cards.BEGIN)
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
