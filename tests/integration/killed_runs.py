"""Kills a training twenty times and resumes it each time; prints what it saw as JSON.

A program of its own: it loads the stack once, trains once without a kill, and forks a
child for every other run.
"""

import json
import os
import random
import signal
import struct
import sys
import time
import traceback
from pathlib import Path

import torch
from mmengine.hooks import Hook

from tiny_runs import prepare, train

EPOCHS = 60
OPTIONS = {
    "resume": True,
    "train_cfg.max_epochs": EPOCHS,
    "param_scheduler.0.T_max": EPOCHS,
    "default_hooks.checkpoint.max_keep_ckpts": 2,
}
# Kills while a checkpoint is written: the moment, and at which of the run's writes.
WRITING = [
    ("half of it written", 1),
    ("half of it written", 3),
    ("written, not renamed", 2),
    ("renamed, last_checkpoint as before", 2),
    ("last_checkpoint empty", 1),
    ("outdated one not removed", 1),
]
KILLS = 20


class Progress(Hook):
    """Sends the number of every iteration down a pipe, once it is done."""

    def __init__(self, pipe):
        self.pipe = pipe

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        os.write(self.pipe, struct.pack("i", runner.iter))


def die_when_writing(moment, occasion):
    """Lets this process kill itself at that moment of writing a checkpoint."""
    seen = []

    def die():
        seen.append(moment)
        if len(seen) == occasion:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(file, original=os.fsync):
        if moment == "half of it written":
            if len(seen) + 1 == occasion:
                os.ftruncate(file, os.fstat(file).st_size // 2)
            die()
        original(file)
        if moment == "written, not renamed":
            die()

    def replace(source, target, original=os.replace):
        original(source, target)
        if moment == "renamed, last_checkpoint as before":
            die()

    def remove(path, original=os.remove):
        if moment == "outdated one not removed" and str(path).endswith(".pth"):
            die()
        original(path)

    def audit(event, details):
        # Python says so before it opens a file, and opening this one empties it.
        if moment != "last_checkpoint empty" or event != "open":
            return
        if str(details[0]).endswith("last_checkpoint") and details[1] == "w":
            os.truncate(details[0], 0)
            die()

    os.fsync, os.replace, os.remove = fsync, replace, remove
    sys.addaudithook(audit)


def start(config, work_dir, writing=None):
    """Forks a run; its process id and the pipe with its progress."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child:
        os.close(sending)
        return child, receiving
    try:
        os.close(receiving)
        if writing:
            die_when_writing(*writing)
        train(config, work_dir, hooks=[Progress(sending)], **OPTIONS)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def iterations(pipe):
    """What is left in the pipe of a run that has ended."""
    with os.fdopen(pipe, "rb") as file:
        return [number for (number,) in struct.iter_unpack("i", file.read())]


def kill(child, pipe, rng):
    """Kills the run after some iterations, or while it is still starting."""
    after = rng.randrange(6)
    received = b""
    while len(received) < 4 * after:
        more = os.read(pipe, 4)
        if not more:
            break  # it has ended of itself
        received += more
    time.sleep(rng.uniform(0, 0.1 if after else 0.3))
    os.kill(child, signal.SIGKILL)
    return [number for (number,) in struct.iter_unpack("i", received)]


def main(folder):
    torch.set_num_threads(1)
    config = prepare(folder)
    train(config, folder / "whole", **OPTIONS)
    rng = random.Random(11)
    order = [*WRITING, *[None] * (KILLS - len(WRITING))]
    rng.shuffle(order)
    order.sort(key=lambda writing: writing == WRITING[4])  # it wants an older one
    seen = []
    for writing in order:
        child, pipe = start(config, folder / "killed", writing)
        numbers = [] if writing else kill(child, pipe, rng)
        status = os.waitpid(child, 0)[1]
        numbers += iterations(pipe)
        whole = [torch.load(path)["meta"]["iter"] for path in saved(folder / "killed")]
        signalled = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        seen.append(
            {
                "moment": writing,
                "iters": numbers,
                "killed": signalled,
                "whole": len(whole),
            }
        )
    child, pipe = start(config, folder / "killed")
    numbers = iterations(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({"kills": seen, "last": {"iters": numbers, "code": code}}))


def saved(work_dir):
    return sorted(work_dir.glob("*.pth"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
