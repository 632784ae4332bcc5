"""Alias of `msg3d prepare nw-ucla`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "nw-ucla", *sys.argv[1:]]))
