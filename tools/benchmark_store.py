"""A packed store measured against MMAction2's PoseDataset, on this machine.

    python tools/benchmark_store.py [--samples 100000] [--rounds 3] [...]

Makes its own data, measures both in turn in processes of their own, and prints a table.
"""

import sys

from benchmarks.store import main

if __name__ == "__main__":
    sys.exit(main())
