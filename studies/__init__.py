"""Studies: settings trained once per seed and reported as tables of mean ± std.

Development programs for Linux: run `python -m studies --help` in a checkout.
"""
