"""Alias of `msg3d export`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
