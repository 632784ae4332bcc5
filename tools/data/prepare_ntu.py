"""Alias of `msg3d prepare ntu`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "ntu", *sys.argv[1:]]))
