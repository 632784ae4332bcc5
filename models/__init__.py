"""Alias of `msg3d.models` for the configs of MMAction2's MS-G3D project.

These configs contain `custom_imports = dict(imports='models')`. They run unchanged in
this folder with `PYTHONPATH=.`.
"""

from msg3d.models import *  # noqa: F403
from msg3d.models import __all__  # noqa: F401
