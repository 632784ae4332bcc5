"""Local Slurm cluster of munge, slurmctld, and slurmd processes.

The programs are in Debian's packages munge and slurm-wlm. Their system services and
configuration are not used. All processes listen on the loopback device and store their
files in a temporary folder. Root is not required.
"""

import contextlib
import ctypes
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "scontrol", "squeue")
GPUS = 2  # per node, without devices
SECONDS = 30  # timeout for the start of daemons and the end of jobs
PARTITION, URGENT = "debug", "urgent"

# The nodes are processes on the same machine, so CPUs are only counted, to allow mim's two
# CPUs per task. The settings require neither cgroups nor accounting nor root. A requeued job
# waits until its credential expires, which takes 120 s by default.
SLURM_CONF = """\
ClusterName=one_machine
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
GresTypes=gpu
SchedulerParameters=sched_interval=5,bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=10
{nodes}
PartitionName={partition} Nodes=ALL Default=YES PriorityTier=1 GraceTime=60
PartitionName={urgent} Nodes=ALL PriorityTier=2 PreemptMode=OFF
"""


class Cluster:
    """Context manager for a cluster of munge, a controller, and `nodes` slurmd processes.

    Partition `debug` is the default. Jobs in partition `urgent` preempt its jobs, which
    Slurm requeues after a grace time of 60 s. The first node has the name of the machine,
    which can be resolved as on a real cluster. The others have the suffixes `-2`, `-3`, ...

    Attributes:
        env: environment of commands that use this cluster.
    """

    def __init__(self, nodes: int = 1) -> None:
        host = socket.gethostname().partition(".")[0]
        self.nodes = [host, *(f"{host}-{number}" for number in range(2, nodes + 1))]
        self._daemons = []

    def __enter__(self) -> "Cluster":
        missing = missing_programs()
        if missing:
            raise FileNotFoundError(
                f"{', '.join(missing)} not found: install the Debian packages munge and "
                "slurm-wlm (apt-get install munge slurm-wlm)"
            )
        # TMPDIR may be too long: socket paths are limited to 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder = self._folder
        # Munge requires a folder that is accessible to all and writable only by its owner.
        folder.chmod(0o755)
        (folder / "state").mkdir()
        self._configure()
        conf = str(folder / "slurm.conf")
        gloo = {"GLOO_SOCKET_IFNAME": "lo"}
        self.env = {**os.environ, **gloo, "PATH": _path(), "SLURM_CONF": conf}
        names = {
            "key_file": "munge.key",
            "socket": "munge.socket",
            "pid_file": "munge.pid",
        }
        names.update(log_file="munge.messages", seed_file="munge.seed")
        options = [
            f"--{option.replace('_', '-')}={folder / name}"
            for option, name in names.items()
        ]
        self._run("munged", "--foreground", *options)
        self._wait(lambda: (folder / "munge.socket").exists())
        self._run("slurmctld", "-D", "-i")
        for node in self.nodes:
            self._run("slurmd", "-D", "-N", node, log=node)
        self._wait(self._idle)

    def _configure(self) -> None:
        ports = free_ports(1 + len(self.nodes))
        lines = [
            f"NodeName={name} NodeHostname={self.nodes[0]} NodeAddr=127.0.0.1 "
            f"Port={port} CPUs={2 * GPUS} Gres=gpu:{GPUS} State=UNKNOWN"
            for name, port in zip(self.nodes, ports[1:], strict=True)
        ]
        text = SLURM_CONF.format(
            host=self.nodes[0],
            port=ports[0],
            user=getpass.getuser(),
            folder=self._folder,
            nodes="\n".join(lines),
            partition=PARTITION,
            urgent=URGENT,
        )
        (self._folder / "slurm.conf").write_text(text, encoding="utf-8")
        # Slurm requires a device file per GPU, but accepts any.
        gpus = f"NodeName={','.join(self.nodes)} Name=gpu File=/dev/null,/dev/zero\n"
        (self._folder / "gres.conf").write_text(gpus, encoding="utf-8")
        key = self._folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))

    def _run(self, *command: str, log: str = "") -> None:
        """Start a daemon in a new session, where Ctrl-C does not end it before the jobs."""
        path = self._folder / f"{log or command[0]}.log"
        with path.open("wb") as file:
            daemon = subprocess.Popen(
                command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        self._daemons.append((daemon, path))

    def _wait(self, ready) -> None:
        end = time.monotonic() + SECONDS
        while not ready():
            for daemon, path in self._daemons:
                if daemon.poll() is not None:
                    raise RuntimeError(
                        f"{daemon.args[0]} ended with status {daemon.returncode} "
                        f"during the start. End of its log: {_tail(path)}"
                    )
            if time.monotonic() > end:
                logs = "; ".join(
                    f"{path.stem}: {_tail(path)}" for _, path in self._daemons
                )
                raise TimeoutError(
                    f"the cluster did not start in {SECONDS} s. Ends of its logs: {logs}"
                )
            time.sleep(0.1)

    def _idle(self) -> bool:
        return self.ask("sinfo", "-hN", "-p", PARTITION, "-o", "%T") == (
            ["idle"] * len(self.nodes)
        )

    def ask(self, *command: str) -> list[str]:
        """Return the output lines of a Slurm command; [] if it fails or times out."""
        try:
            result = subprocess.run(
                command, env=self.env, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return []
        return result.stdout.split("\n")[:-1] if result.returncode == 0 else []

    def __exit__(self, *error) -> None:
        if len(self._daemons) > 1:
            self._end_jobs()
        for daemon, _ in reversed(self._daemons):
            _end(daemon)
        for pid in processes_with(f"SLURM_CONF={self._folder}/slurm.conf"):
            _kill(pid)  # a process that outlived its job
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_jobs(self) -> None:
        for partition in (PARTITION, URGENT):
            self.ask("scancel", "-s", "KILL", "--full", "-p", partition)
            self.ask("scancel", "-p", partition)
        end = time.monotonic() + SECONDS
        while self.ask("squeue", "-h") and time.monotonic() < end:
            time.sleep(0.1)


def missing_programs() -> list[str]:
    """Return the required programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def _path() -> str:
    """Return PATH with the folders in which Debian installs daemons."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def free_ports(count: int) -> list[int]:
    """Return different unused TCP ports of the loopback device."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def processes_with(variable: str) -> list[int]:
    """Return the ids of processes whose initial environment contains `NAME=value`."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable.encode() in path.read_bytes().split(b"\0"):
                pids.append(int(path.parent.name))
        except OSError:  # The process has ended or belongs to another user.
            continue
    return pids


def _end_with_parent() -> None:
    """Send SIGTERM to this child process when its parent dies."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _end(daemon: subprocess.Popen) -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "empty"
