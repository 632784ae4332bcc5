"""What exchanging gradients costs: measured over gloo here, reckoned for many GPUs.

python tools/benchmark_scaling.py measure [--processes 1 2 4] [...]
python tools/benchmark_scaling.py model [--step-ms 100] [--network 200 25] [...]
"""

import sys

from benchmarks.scaling import main

if __name__ == "__main__":
    sys.exit(main())
