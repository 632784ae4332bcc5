"""MS-G3D measured against the plain published form, on this machine.

    python tools/benchmark.py [--parts train infer ...] [--device cpu|cuda] [...]

Prints tables, and writes them as json with everything that was measured.
"""

import sys

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main())
