"""Alias of `msg3d fuse`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["fuse", *sys.argv[1:]]))
