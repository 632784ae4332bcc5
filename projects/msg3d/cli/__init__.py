"""The `msg3d` command, with one module per subcommand.

A module has a docstring (the help text), `add_arguments(parser)`, and `run(args)`, which
returns the exit status or None for success. Heavy imports are inside `run`, so that help
and completion do not import torch. `RENAMED`, if present, maps deprecated options to
their replacements.
"""
