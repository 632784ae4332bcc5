"""Alias of `msg3d prepare poses`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "poses", *sys.argv[1:]]))
