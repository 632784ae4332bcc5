"""Kill a training run twenty times, resume it each time, and print a report as JSON.

This is a program, so that the stack is imported only once: it trains once without a kill,
and forks a child for each other run.
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
# Kills while a checkpoint is written: (stage, number of the write in the run).
WRITE_KILLS = [
    ("half written", 1),
    ("half written", 3),
    ("written but not renamed", 2),
    ("renamed but last_checkpoint outdated", 2),
    ("last_checkpoint empty", 1),
    ("old checkpoint not removed", 1),
]
KILLS = 20


class Progress(Hook):
    """Send the number of each finished iteration through a pipe."""

    def __init__(self, pipe):
        self.pipe = pipe

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        os.write(self.pipe, struct.pack("i", runner.iter))


def kill_when_writing(stage, number):
    """Let this process kill itself at a stage of its `number`-th checkpoint."""
    writes = []

    def count():
        writes.append(stage)
        if len(writes) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(file, original=os.fsync):
        if stage == "half written":
            if len(writes) + 1 == number:
                os.ftruncate(file, os.fstat(file).st_size // 2)
            count()
        original(file)
        if stage == "written but not renamed":
            count()

    def replace(source, target, original=os.replace):
        original(source, target)
        if stage == "renamed but last_checkpoint outdated":
            count()

    def remove(path, original=os.remove):
        if stage == "old checkpoint not removed" and str(path).endswith(".pth"):
            count()
        original(path)

    def audit(event, details):
        # The event precedes the opening of the file, which then truncates it.
        if stage != "last_checkpoint empty" or event != "open":
            return
        if str(details[0]).endswith("last_checkpoint") and details[1] == "w":
            os.truncate(details[0], 0)
            count()

    os.fsync, os.replace, os.remove = fsync, replace, remove
    sys.addaudithook(audit)


def start(config, work_dir, write_kill=None):
    """Fork a run; return its process id and the pipe with its progress."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child:
        os.close(sending)
        return child, receiving
    try:
        os.close(receiving)
        if write_kill:
            kill_when_writing(*write_kill)
        train(config, work_dir, hooks=[Progress(sending)], **OPTIONS)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def iterations(pipe):
    """Return the iterations that remain in the pipe of an ended run."""
    with os.fdopen(pipe, "rb") as file:
        return [number for (number,) in struct.iter_unpack("i", file.read())]


def kill(child, pipe, rng):
    """Kill the run after some iterations or during its start; return those received."""
    after = rng.randrange(6)
    received = b""
    while len(received) < 4 * after:
        data = os.read(pipe, 4)
        if not data:
            break  # the run has ended
        received += data
    time.sleep(rng.uniform(0, 0.1 if after else 0.3))
    os.kill(child, signal.SIGKILL)
    return [number for (number,) in struct.iter_unpack("i", received)]


def main(folder):
    torch.set_num_threads(1)
    config = prepare(folder)
    train(config, folder / "uninterrupted", **OPTIONS)
    rng = random.Random(11)
    order = [*WRITE_KILLS, *[None] * (KILLS - len(WRITE_KILLS))]
    rng.shuffle(order)
    order.sort(key=lambda item: item == WRITE_KILLS[4])  # requires an older checkpoint
    kills = []
    for write_kill in order:
        child, pipe = start(config, folder / "killed", write_kill)
        numbers = [] if write_kill else kill(child, pipe, rng)
        status = os.waitpid(child, 0)[1]
        numbers += iterations(pipe)
        for path in (folder / "killed").glob("*.pth"):
            torch.load(path)  # every checkpoint is complete
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        kills.append({"write": write_kill, "iters": numbers, "killed": killed})
    child, pipe = start(config, folder / "killed")
    numbers = iterations(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({"kills": kills, "last": {"iters": numbers, "code": code}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
