"""Benchmarks of speed, memory, data loading, storage, streaming, and scaling.

Development programs for Linux: run `python -m benchmarks --help` in a checkout.
"""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
