"""Entry point of `python -m msg3d`, the same as the command `msg3d`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
