"""The networks of msg3d, under the name that MMAction2's own configs import.

MMAction2's `projects/msg3d/configs` contain `custom_imports = dict(imports='models')`. They
run unchanged when started in this folder with `PYTHONPATH=.`.
"""

from msg3d.models import *  # noqa: F403
from msg3d.models import __all__  # noqa: F401
