"""A thousand epochs watched for leaks, and 100,000 samples behind two processes.

    python tools/benchmark_load.py [--parts epochs ranks] [--forms pickle store] [...]

Makes its own data, prints tables, and writes them as json with all readings.
"""

import sys

from benchmarks.load import main

if __name__ == "__main__":
    sys.exit(main())
