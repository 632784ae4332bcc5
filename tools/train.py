"""Alias of `msg3d train`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
