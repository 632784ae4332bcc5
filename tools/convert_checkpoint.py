"""Alias of `msg3d convert-checkpoint`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["convert-checkpoint", *sys.argv[1:]]))
