"""Functions that tests run in processes of their own, started with the spawn method.

Such a process imports the module of its function: this one imports neither torch nor
MMEngine.
"""

import os
import time

from msg3d.engine.work_dir import locked
from msg3d.stores.packing import pack


def hold_lock(work_dir, pipe, worker):
    """Hold the lock of a folder; with a `worker`, a fork of this process lives on."""
    with locked(work_dir) as holder:
        other = os.fork() if worker else None
        if other == 0:
            time.sleep(60)
            os._exit(0)
        pipe.send((holder, other))
        time.sleep(60)


def send_holder(work_dir, pipe):
    """Send who holds the lock of a folder."""
    with locked(work_dir) as holder:
        pipe.send(holder)


def write_stores(path, data, pipe):
    """Replace a store by each of the data in turn, without an end."""
    pipe.send("ready")
    while True:
        for each in data:
            pack(each, path)
