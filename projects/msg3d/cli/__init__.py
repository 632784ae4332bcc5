"""The `msg3d` command, one module per subcommand.

A module has a docstring (the help text), `add_arguments(parser)`, and `run(args)`, which
returns the exit status or None for success. It imports what is heavy inside `run`: help
and completion import no torch. `RENAMED`, if present, maps deprecated options to the
options that replace them.
"""
