"""Alias of `msg3d prepare kinetics`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "kinetics", *sys.argv[1:]]))
