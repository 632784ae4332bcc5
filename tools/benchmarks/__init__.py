"""What `tools/benchmark.py` measures: one part a module, started by `command`."""
