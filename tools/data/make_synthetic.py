"""Alias of `msg3d prepare synthetic`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "synthetic", *sys.argv[1:]]))
