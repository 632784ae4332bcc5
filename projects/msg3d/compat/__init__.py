"""Compatibility fixes for current PyTorch, NumPy, and MMEngine.

MMAction2 1.2.0 and MMEngine 0.10.7 are the last releases of 2023. Each function of
these modules fixes one thing that breaks them with current packages. It first checks
whether the thing is broken, and does nothing otherwise: each fix disables itself.
"""

import functools

from . import (
    checkpoints,
    distributed,
    files,
    imports,
    long_runs,
    precision,
    work_dir,
)

__all__ = ["apply"]


@functools.cache
def apply() -> None:
    """Apply all fixes without output; a second call changes nothing.

    Raises:
        ImportError: a package is missing or has an unsupported version; the message
            says which to install.
    """
    imports.check_versions()
    imports.provide_importlib_metadata()
    imports.provide_drn()
    imports.provide_numpy_inf()
    imports.excuse_multimodal()
    checkpoints.allow_globals()
    checkpoints.load_urls_safely()
    checkpoints.name_refused()
    distributed.start_without_cuda()
    distributed.wrap_without_cuda()
    files.load_pickles_as_data()
    files.load_yaml_as_data()
    files.name_unreadable()
    long_runs.append_in_place()
    long_runs.keep_shared()
    precision.allow_amp_without_cuda()
    precision.allow_bfloat16_scores()
    work_dir.find_whole_checkpoint()
