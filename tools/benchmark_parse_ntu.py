"""NTU RGB+D's raw files read by this project and line by line, on one core.

python tools/benchmark_parse_ntu.py [--files N] [--repeats N] [--raw FOLDER]
"""

import sys

from benchmarks.parse_ntu import main

if __name__ == "__main__":
    sys.exit(main())
