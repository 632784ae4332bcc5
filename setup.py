"""The packages and the long description; everything else is in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

REPOSITORY = "https://github.com/msg3d/msg3d"
README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
# A package index has no files for the README to link to.
README = re.sub(r"(!\[[^]]*\]\()(?!https?:|#)", rf"\1{REPOSITORY}/raw/main/", README)
README = re.sub(r"(\]\()(?!https?:|#)", rf"\1{REPOSITORY}/blob/main/", README)

setup(
    # The configs are a folder at the root, where users look for them. In the package
    # there is a link to it, which zip downloads and Windows do not have.
    packages=[*find_packages("projects"), "msg3d.configs"],
    long_description=README,
    long_description_content_type="text/markdown",
)
