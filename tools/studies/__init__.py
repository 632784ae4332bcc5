"""Studies: tables of settings, each trained once a seed and reported as mean ± std."""
