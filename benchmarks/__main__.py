"""Run one benchmark, print its tables, and write them as JSON and Markdown.

Exit status: 0; 1 if a check failed (outputs differ, memory grew, a sample was missed); 2
if the options are invalid or a process failed; 130 after Ctrl-C; 143 after SIGTERM. After
an interruption, the files contain the results so far.
"""

import sys
import warnings
from importlib import import_module

from .options import check, parser

# Warnings of dependencies (compiled ops of mmcv, pkg_resources) clutter the progress.
warnings.filterwarnings("ignore", category=UserWarning)


def main(argv: list[str] | None = None) -> int:
    """Run a command and return the exit status.

    Raises:
        SystemExit: after a signal, or if argparse rejects the options.
    """
    argv = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(argv)
    from .processes import ProcessError, exit_on_signal
    from .results import Results

    name = f"benchmarks {options.command}"
    with exit_on_signal(name):
        try:
            check(options)
            module = import_module(f".{options.command.replace('-', '_')}", __package__)
            results = Results(options, argv, module.__doc__)
            try:
                module.run(options, results)
            finally:
                results.print()
        except (ValueError, OSError, ProcessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
    if not results.passed:
        print(f"{name}: a check failed; see the tables above", file=sys.stderr)
    return int(not results.passed)


if __name__ == "__main__":
    sys.exit(main())
