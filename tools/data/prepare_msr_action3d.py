"""Alias of `msg3d prepare msr-action3d`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "msr-action3d", *sys.argv[1:]]))
