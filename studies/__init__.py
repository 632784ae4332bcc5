"""Studies: tables of settings, each trained once per seed and reported as mean ± std.

Development programs for Linux: run `python -m studies --help` in a checkout.
"""
