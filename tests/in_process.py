"""Run commands and training in the test's process, without the cost of starting one."""

import runpy
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from mmengine.config import Config

import msg3d
from msg3d.cli.main import main

TOOLS = Path(msg3d.__file__).parent / ".mim" / "tools"


def config(path: Path, work_dir: Path, **options) -> Config:
    """Load a config with the overrides of `--cfg-options`; None removes a hook."""
    cfg = Config.fromfile(path)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = Path(work_dir).name
    cfg.merge_from_dict(options)
    for name in [name for name, hook in cfg.default_hooks.items() if hook is None]:
        cfg.default_hooks.pop(name)
    return cfg


@contextmanager
def without_paperwork():
    """Skip the steps that take most of the time of a tiny run.

    These are formatting the config for each checkpoint, collecting versions, and
    collecting garbage for each data set.
    """
    text = patch("mmengine.config.config.FormatCode", lambda text, **_: (text, True))
    versions = patch("mmengine.runner.runner.collect_env", dict)
    garbage = patch("mmengine.dataset.base_dataset.gc.collect")
    with text, versions, garbage:
        yield


def msg3d_command(*words) -> int:
    """Run `msg3d WORDS` in this process and return its exit status."""
    try:
        return main([*map(str, words)])
    except SystemExit as exit:  # wrong usage
        return exit.code


def command(monkeypatch, name, *arguments):
    """Run `mim run msg3d NAME ...` in this process and return its exit code, if any."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    try:
        runpy.run_path(str(TOOLS / f"{name}.py"), run_name="__main__")
    except SystemExit as exit:
        return exit.code
    return None
