"""Alias of `msg3d prepare udiva`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "udiva", *sys.argv[1:]]))
