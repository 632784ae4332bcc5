"""A real Slurm cluster on this machine alone: munge, slurmctld and slurmd processes.

Debian's packages munge and slurm-wlm bring them; no configuration and no service of
theirs is used. Everything listens on the loopback device and lies in one temporary
folder; no root is needed.
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
GPUS = 2  # of each node; no device stands behind them
SECONDS = 30  # for the daemons to come up, and for jobs to end
PARTITION, URGENT = "debug", "urgent"

# The nodes are processes of one machine, so none owns a core: CPUs are counted only
# so that mim's two a task pass. Nothing here asks for cgroups, accounting or root. A
# requeued job waits until its credential has expired: 120 s where nothing is said.
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
    """Munge, one controller and `nodes` slurmd processes, as a context manager.

    Partition `debug` is the default; a job in partition `urgent` preempts its jobs,
    which Slurm requeues after 60 s of grace. Node names are those of the machine, then
    of the machine with `-2`, `-3`, ...: the first can be resolved, as a real one can.

    Attributes:
        env: of the commands that shall find this cluster.
    """

    def __init__(self, nodes: int = 1) -> None:
        host = socket.gethostname().partition(".")[0]
        self.nodes = [host, *(f"{host}-{number}" for number in range(2, nodes + 1))]
        self._daemons = []

    def __enter__(self) -> "Cluster":
        lacking = missing_programs()
        if lacking:
            raise FileNotFoundError(
                f"{', '.join(lacking)} not found: a Slurm cluster needs Debian's "
                "packages munge and slurm-wlm, apt-get install munge slurm-wlm"
            )
        # Not in TMPDIR: a socket's path has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder = self._folder
        # Munge wants a folder that everybody can enter and only its owner can write.
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
        options = [f"--{k.replace('_', '-')}={folder / v}" for k, v in names.items()]
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
        # A GPU counts only with a device file, and any will do.
        gpus = f"NodeName={','.join(self.nodes)} Name=gpu File=/dev/null,/dev/zero\n"
        (self._folder / "gres.conf").write_text(gpus, encoding="utf-8")
        key = self._folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))

    def _run(self, *command: str, log: str = "") -> None:
        """Starts a daemon in the foreground, in a session that Ctrl-C does not reach:
        the jobs end first."""
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
                        f"instead of serving; it said: {_tail(path)}"
                    )
            if time.monotonic() > end:
                said = "; ".join(
                    f"{path.stem}: {_tail(path)}" for _, path in self._daemons
                )
                raise TimeoutError(
                    f"no cluster after {SECONDS} s; its logs end: {said}"
                )
            time.sleep(0.1)

    def _idle(self) -> bool:
        return self.ask("sinfo", "-hN", "-p", PARTITION, "-o", "%T") == (
            ["idle"] * len(self.nodes)
        )

    def ask(self, *command: str) -> list[str]:
        """What a Slurm command prints, by line; nothing where it fails or hangs."""
        try:
            done = subprocess.run(
                command, env=self.env, capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return []
        return done.stdout.split("\n")[:-1] if done.returncode == 0 else []

    def __exit__(self, *error) -> None:
        if len(self._daemons) > 1:
            self._end_jobs()
        for daemon, _ in reversed(self._daemons):
            _end(daemon)
        for pid in processes_with(f"SLURM_CONF={self._folder}/slurm.conf"):
            _kill(pid)  # a job's process that outlived its job
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_jobs(self) -> None:
        for partition in (PARTITION, URGENT):
            self.ask("scancel", "-s", "KILL", "--full", "-p", partition)
            self.ask("scancel", "-p", partition)
        end = time.monotonic() + SECONDS
        while self.ask("squeue", "-h") and time.monotonic() < end:
            time.sleep(0.1)


def missing_programs() -> list[str]:
    """The programs that a cluster needs and this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def _path() -> str:
    """PATH with the folders in which Debian installs daemons."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def free_ports(count: int) -> list[int]:
    """Different TCP ports of the loopback device that nobody uses at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def processes_with(variable: str) -> list[int]:
    """Ids of the processes that were started with `NAME=value` in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _end_with_parent() -> None:
    """In a child: SIGTERM when the process that started it dies, however it dies."""
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
    return " / ".join(lines[-3:]) or "nothing"
