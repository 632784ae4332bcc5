"""Alias of `msg3d prepare sbu`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "sbu", *sys.argv[1:]]))
