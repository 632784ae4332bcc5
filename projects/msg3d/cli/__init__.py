"""The `msg3d` command, with one module per subcommand.

A module has a docstring, which is the help text, and the functions
`add_arguments(parser)` and `run(args)`. `run` returns the exit status, or None for
success. Heavy imports are inside `run`, so help and completion do not import PyTorch.
The dictionary `RENAMED`, if present, maps deprecated options to their replacements.
"""
