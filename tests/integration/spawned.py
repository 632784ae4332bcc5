"""Functions that tests run in spawned processes.

A spawned process imports the module of its function, so this module imports neither torch
nor MMEngine.
"""

import os
import time

from msg3d.engine.work_dir import locked
from msg3d.stores.packing import pack


def hold_lock(work_dir, pipe, worker):
    """Hold the lock of a folder; `worker` forks a child that outlives this process."""
    with locked(work_dir) as holder:
        child = os.fork() if worker else None
        if child == 0:
            time.sleep(60)
            os._exit(0)
        pipe.send((holder, child))
        time.sleep(60)


def send_holder(work_dir, pipe):
    """Send the holder of the lock of a folder."""
    with locked(work_dir) as holder:
        pipe.send(holder)


def write_stores(path, data, pipe):
    """Replace a store with each data set in turn, in an endless loop."""
    pipe.send("ready")
    while True:
        for annotations in data:
            pack(annotations, path)
