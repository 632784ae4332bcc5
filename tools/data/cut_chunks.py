"""Alias of `msg3d chunks`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["chunks", *sys.argv[1:]]))
