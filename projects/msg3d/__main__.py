"""Run the command line: `python -m msg3d` is `msg3d`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
