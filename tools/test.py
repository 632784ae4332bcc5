"""Alias of `msg3d test`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["test", *sys.argv[1:]]))
