"""The model index: metafiles from configs, tables from metafiles."""
