"""Alias of `msg3d draw`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["draw", *sys.argv[1:]]))
