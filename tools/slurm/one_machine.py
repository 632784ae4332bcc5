"""A real Slurm cluster on this machine alone, for as long as one command runs.

    python tools/slurm/one_machine.py [--nodes 2] COMMAND ...

For trying what will run on a cluster: COMMAND finds sbatch, srun and scontrol pointed
at it. Needs Debian's packages munge and slurm-wlm (apt-get install munge slurm-wlm), but
neither root nor a service of theirs.
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
    parser.add_argument("--nodes", type=int, default=1, help="default: %(default)s")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="with its arguments")
    args = parser.parse_args(argv)
    if args.nodes < 1 or not args.command:
        parser.error("at least one node and a command are needed")
    # As an exception, so that the cluster is taken down.
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
