"""Alias of `msg3d predict`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["predict", *sys.argv[1:]]))
