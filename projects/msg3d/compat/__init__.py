"""What today's torch and NumPy need of the OpenMMLab stack of 2023.

MMAction2 1.2.0 and MMEngine 0.10.7 are the last of their line. Each function of these
modules mends one thing that breaks them. It looks first whether the thing is broken,
and does nothing where it is not: so it retires itself.
"""

import functools

from . import (
    checkpoints,
    distributed,
    files,
    history,
    imports,
    launcher,
    precision,
    versions,
    work_dir,
    work_dir_lock,
    workers,
)

__all__ = ["apply"]


@functools.cache
def apply() -> None:
    """Mends everything, in silence; a second call changes nothing.

    Raises:
        ImportError: a package is missing or of a version that cannot work; the
            message says which to install.
    """
    versions.check_versions()
    imports.provide_importlib_metadata()
    imports.provide_drn()
    imports.provide_numpy_inf()
    imports.excuse_multimodal()
    checkpoints.allow_globals()
    checkpoints.load_urls_safely()
    checkpoints.load_safetensors()
    checkpoints.name_refused()
    distributed.start_without_cuda()
    distributed.wrap_without_cuda()
    files.load_pickles_as_data()
    files.load_yaml_as_data()
    files.load_score_npz()
    files.name_unreadable()
    history.append_in_place()
    launcher.end_with_launcher()
    precision.allow_amp_without_cuda()
    precision.allow_bfloat16_scores()
    work_dir.find_whole_checkpoint()
    work_dir_lock.lock_work_dir()
    work_dir.name_unwritable()
    workers.keep_shared()
