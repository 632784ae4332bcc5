"""Alias of `msg3d pack`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["pack", *sys.argv[1:]]))
