"""List the packages; everything else is in setup.cfg."""

from setuptools import find_packages, setup

# The configs are a folder at the root, where users look for them. In the package there is
# a link to it, which zip downloads and Windows do not have.
setup(packages=[*find_packages("projects"), "msg3d.configs"])
