"""Alias of `msg3d prepare mediapipe`."""

import sys

from msg3d.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["prepare", "mediapipe", *sys.argv[1:]]))
