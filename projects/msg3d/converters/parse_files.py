"""Raw files parsed on all cores, with the finished work kept for the next start.

The files are cut into parts. A worker parses a part and writes what came out of it to
a folder of its own, under a name that depends on the files, their sizes and times,
and on the parser: after an interruption a part that is there is not done again, and
one of another parser or of changed files is not taken.
"""

import hashlib
import inspect
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import NamedTuple

from tqdm import tqdm

from ..errors import DataError, SkipFile, Where
from ..io.archives import RawFile, list_files, read_files
from .parts import is_written, read_part, write_part

# What a parser does: name and bytes of a file -> its samples.
Parse = Callable[[str, bytes], list[dict]]


class Parsed(NamedTuple):
    """What came out of the raw files.

    Attributes:
        samples: sorted by `frame_dir`.
        refused: dict(file, why), with `line` where known, of each bad file.
        left_out: reason -> names of the files left out for it.
        others: names of files that were not looked into.
        remarks: dict(about, text, ...) of each thing that people should know of the
            whole; the report has them as they are.
    """

    samples: list[dict]
    refused: list[dict]
    left_out: dict[str, list[str]]
    others: list[str]
    remarks: Sequence[dict] = ()


def parse_files(
    raw: str,
    suffix: str,
    parse: Parse,
    parts: str,
    jobs: int | None = None,
    files_a_part: int = 256,
    max_bytes: int | None = None,
) -> Parsed:
    """Every file of `raw` through `parse`.

    Args:
        raw: folder or archive; the files of a tar are read in this process.
        suffix: how the files end.
        parse: gives the samples of a file, or raises DataError (or another ValueError),
            or SkipFile.
            A function of a module, or a partial of one, whose arguments change the
            name under which finished work is kept.
        parts: folder of finished work; whoever has written the result removes it
            (`parts.forget_parts`).
        jobs: processes; None for one a core.
        files_a_part: what an interruption can cost, times the jobs.
        max_bytes: of a file, 64 MiB if None; a larger one is not looked into.

    Raises:
        DataError: nothing there, no file of this suffix, or a damaged archive.
    """
    listed = list_files(raw, suffix, max_bytes)
    if listed is None:
        others: list[str] = []
        done = [_parse_stream(raw, suffix, parse, others, max_bytes)]
    else:
        files, others = listed
        done = _parse_parts(files, parse, parts, jobs, files_a_part)
    samples: dict[str, dict] = {}
    origin: dict[str, str] = {}
    refused, left_out = [], {}
    for one in done:
        for file, found in one["samples"]:
            for sample in found:
                name = sample["frame_dir"]
                if name in samples:
                    why = f"a duplicate: {name} was read from {origin[name]}"
                    refused.append(dict(file=file, why=why))
                else:
                    samples[name], origin[name] = sample, file
        refused += one["refused"]
        for file, reason in one["left_out"]:
            left_out.setdefault(reason, []).append(file)
    if not samples and not refused and not left_out:
        raise DataError(f"raw data {raw} hold no {suffix} file")
    return Parsed(
        [samples[name] for name in sorted(samples)], refused, left_out, others
    )


def _parse_stream(raw, suffix, parse, others, max_bytes) -> dict:
    wanted, files = [], read_files(raw, suffix, max_bytes)
    # disable=None: silent where stderr is no terminal
    for name, content in tqdm(files, unit="file", disable=None):
        if content is None:
            others.append(name)
        else:
            wanted.append((name, _parse_one(name, content, parse)))
    return _gather(wanted)


def _parse_one(name, content, parse) -> list[dict] | dict | str:
    """The samples, dict(file, why) of a bad file, or the reason to leave it out."""
    try:
        return parse(name, content)
    except SkipFile as reason:
        return str(reason)
    except ValueError as error:
        line = getattr(error, "where", Where()).line
        where = {} if line is None else dict(line=line)
        return dict(file=name, **where, why=getattr(error, "message", str(error)))


def _gather(results) -> dict:
    return dict(
        samples=[(name, one) for name, one in results if isinstance(one, list)],
        refused=[one for _, one in results if isinstance(one, dict)],
        left_out=[(name, one) for name, one in results if isinstance(one, str)],
    )


def _parse_parts(files, parse, parts, jobs, files_a_part) -> Iterator[dict]:
    """What came out of each part, in the order of the files."""
    cut = [files[i : i + files_a_part] for i in range(0, len(files), files_a_part)]
    paths = [os.path.join(parts, _key(part, parse)) for part in cut]
    missing = [(part, path) for part, path in zip(cut, paths) if not is_written(path)]
    if missing:
        os.makedirs(parts, exist_ok=True)
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(missing))
    left = sum(len(part) for part, _ in missing)
    with tqdm(
        total=len(files), initial=len(files) - left, unit="file", disable=None
    ) as bar:
        if jobs <= 1:
            for part, path in missing:
                bar.update(_parse_part(part, path, parse))
        else:
            for count in _in_processes(missing, parse, jobs):
                bar.update(count)
    return map(read_part, paths)


def _in_processes(missing, parse, jobs) -> Iterator[int]:
    # fork: the packages are imported already, which takes seconds.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, context, initializer=_ignore_interrupt) as pool:
        futures = [pool.submit(_parse_part, *one, parse) for one in missing]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a process that parsed raw files was killed, most likely for memory: "
                "run the command again, it goes on where it was, with fewer --jobs"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    # Ctrl-C reaches all processes; the first one stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _parse_part(part: list[RawFile], path: str, parse: Parse) -> int:
    results = _gather(
        [(one.name, _parse_one(one.name, one.read(), parse)) for one in part]
    )
    write_part(results, path)
    return len(part)


def _key(part: list[RawFile], parse: Parse) -> str:
    """A name for what this parser makes of these files."""
    function = parse.func if isinstance(parse, partial) else parse
    options = ()
    if function is not parse:
        options = (parse.args, sorted(parse.keywords.items()))
    source = inspect.getsource(inspect.getmodule(function))
    text = repr((function.__qualname__, source, options, part))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
