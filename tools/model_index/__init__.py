"""Model index: metafiles from configs, and tables from metafiles."""
