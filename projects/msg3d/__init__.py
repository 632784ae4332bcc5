"""MS-G3D for skeleton-based action recognition, on MMAction2."""

from . import compat

compat.apply()  # before anything imports mmaction.models

from . import checkpoints, datasets, engine, evaluation, models  # noqa: E402
from .apis import Recognizer, Stream  # noqa: E402

checkpoints.register_safetensors()
evaluation.register_npz_handler()
engine.end_with_launcher()
engine.lock_work_dir()
engine.name_unwritable()

__version__ = "0.1.0"
__all__ = [
    "Recognizer",
    "Stream",
    "compat",
    "datasets",
    "engine",
    "evaluation",
    "models",
]
