"""Packages and long description; all other metadata is in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

REPOSITORY = "https://github.com/msg3d/msg3d"
README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
# Make links absolute: a package index does not host the files of the repository.
README = re.sub(r"(!\[[^]]*\]\()(?!https?:|#)", rf"\1{REPOSITORY}/raw/main/", README)
README = re.sub(r"(\]\()(?!https?:|#)", rf"\1{REPOSITORY}/blob/main/", README)

setup(
    # The configs are in a folder at the root, where users look for them. The package
    # contains a symbolic link to it, which is missing in zip downloads and on Windows.
    packages=[*find_packages("projects"), "msg3d.configs"],
    long_description=README,
    long_description_content_type="text/markdown",
)
