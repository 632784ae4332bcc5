"""Entry point of `python -m msg3d`, which is equivalent to the command `msg3d`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
