"""What a process and its workers hold of the system, out of Linux's /proc."""

import multiprocessing
import os

FOLDER = "/dev/shm"  # where torch puts tensors that travel between processes


def processes() -> list[int]:
    """This process and its workers."""
    return [os.getpid(), *(one.pid for one in multiprocessing.active_children())]


def memory(process: int) -> dict[str, int]:
    """Its `Rss`, `Pss`, `Pss_Anon` and `Pss_File` in KiB.

    Of a page that n processes share each has the n-th part in its `Pss`: summed over
    the processes every page counts once.
    """
    wanted = dict.fromkeys(("Rss", "Pss", "Pss_Anon", "Pss_File"), 0)
    with open(f"/proc/{process}/smaps_rollup") as file:
        for line in file:
            field, _, rest = line.partition(":")
            if field in wanted:
                wanted[field] += int(rest.split()[0])
    return wanted


def held() -> dict[str, int]:
    """What must not grow while training goes on, of this process and its workers.

    Returns:
        Memory in KiB: `main_rss`, and `anonymous`, the part of `Pss` that is no file's,
        of all processes: other programs, which share the files, do not change it.
        Numbers of `processes`, `threads`, `main_files` and
        `workers_files` (open descriptors) and `shared_files` (torch's in /dev/shm).
    """
    main, *workers = processes()
    mine, others = memory(main), [memory(one) for one in workers]
    # Other programs' files are there too; torch puts the maker's number into a name.
    ours = tuple(f"torch_{one}_" for one in (main, *workers))
    return dict(
        main_rss=mine["Rss"],
        anonymous=sum(one["Pss_Anon"] for one in (mine, *others)),
        processes=1 + len(workers),
        threads=sum(_count(one, "task") for one in (main, *workers)),
        main_files=_count(main, "fd"),
        workers_files=sum(_count(one, "fd") for one in workers),
        shared_files=sum(name.startswith(ours) for name in os.listdir(FOLDER)),
    )


def _count(process: int, folder: str) -> int:
    return len(os.listdir(f"/proc/{process}/{folder}"))
