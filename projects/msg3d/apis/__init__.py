"""Entry points for programs and commands."""
