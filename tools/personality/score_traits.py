"""Alias of `msg3d score-traits`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["score-traits", *sys.argv[1:]]))
