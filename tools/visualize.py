"""Alias of `msg3d visualize`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["visualize", *sys.argv[1:]]))
