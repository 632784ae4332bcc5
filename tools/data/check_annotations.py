"""Alias of `msg3d check`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["check", *sys.argv[1:]]))
