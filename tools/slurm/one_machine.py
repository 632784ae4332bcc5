"""Run a command with a temporary Slurm cluster on this machine.

    python tools/slurm/one_machine.py [--nodes 2] COMMAND ...

Use it to test jobs before you run them on a real cluster: COMMAND can use sbatch, srun, and
scontrol. It requires Debian's packages munge and slurm-wlm (apt-get install munge
slurm-wlm), but neither root nor their system services.
"""

import argparse
import signal
import subprocess
import sys

from local_cluster import Cluster


def main(argv: list[str] | None = None) -> int | str:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--nodes", type=int, default=1, help="number of nodes (default: 1)"
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="command and its arguments"
    )
    args = parser.parse_args(argv)
    if args.nodes < 1 or not args.command:
        parser.error("at least one node and a command are required")
    # Raise an exception, which shuts down the cluster.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with Cluster(args.nodes) as cluster:
            return subprocess.run(args.command, env=cluster.env).returncode
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (OSError, RuntimeError) as error:
        return f"{error}"


if __name__ == "__main__":
    sys.exit(main())
