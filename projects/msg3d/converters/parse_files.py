"""Parse raw files in parallel, resuming after an interruption.

Files are split into parts. Each worker parses one part and caches the result under a key
derived from the files (name, size, modification time), the parser and its options, and
the source of all modules that parsing can run. A restarted run reuses the cached parts
whose key still matches.

A part consists of two files. One contains the concatenated arrays of the samples. The
other contains everything else, and is written last. Arrays are mapped into memory when
they are read, so that data sets larger than memory can be converted.
"""

import hashlib
import inspect
import mmap
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from ..errors import DataError, MSG3DError, SkipFile
from ..formats.base import Sample
from ..io import StrPath
from ..io.archives import RawFile, list_files, read_files
from ..io.atomic import whole_file
from ..io.progress import progress
from ..io.safe_pickle import loads_plain

# A parser: name and content of a file -> its samples.
Parse = Callable[[str, bytes], list[Sample]]
# The samples of a file, its entry in `refused`, or the reason why it is skipped.
Outcome = list[Sample] | dict[str, Any] | str

PACKAGE = Path(__file__).parents[1]
# The layers of PACKAGE that converters can import.
LAYERS = (
    *("errors.py", "io", "skeletons", "preprocessing", "annotations", "stores"),
    *("formats", "converters"),
)
ARRAYS, REST = ".arrays", ".part"


class Parsed(NamedTuple):
    """Samples of all files, and the outcome for files without samples.

    Attributes:
        samples: samples, sorted by `frame_dir`.
        refused: dict(file, kind, why) for each rejected file, with `line` if known.
        left_out: reason -> names of the skipped files.
        others: names of files that were not read.
        remarks: dict(about, text, ...) for each remark on the data set. The report
            contains them unchanged.
    """

    samples: list[Sample]
    refused: list[dict[str, Any]]
    left_out: dict[str, list[str]]
    others: list[str]
    remarks: Sequence[dict[str, Any]] = ()


class Part(TypedDict):
    """Samples and file names of a part, and its rejected and skipped files."""

    samples: list[tuple[str, list[Sample]]]
    refused: list[dict[str, Any]]
    left_out: list[tuple[str, str]]


def parse_files(
    raw: StrPath,
    suffix: str | tuple[str, ...],
    parse: Parse,
    parts: StrPath,
    jobs: int | None = None,
    files_per_part: int = 256,
    max_bytes: int | None = None,
) -> Parsed:
    """Parse all raw files in a folder or archive.

    Args:
        raw: folder or archive. A tar is read in this process.
        suffix: suffix of the file names, or a tuple of several.
        parse: callable that returns the samples of a file, given its name and content,
            or raises DataError or SkipFile. Must be a module-level function or a partial
            of it, whose arguments are part of the cache key.
        parts: folder for cached parts. The caller removes it with `forget_parts` after
            the result is written.
        jobs: number of processes; None for one per core.
        files_per_part: number of files per part. An interruption loses at most one
            part per process.
        max_bytes: maximum size of a file; None for 64 MiB. Larger files are not read.

    Raises:
        DataError: `raw` does not exist, is a corrupt archive, or contains no files with
            this suffix; or a worker was killed.
    """
    listed = list_files(raw, suffix, max_bytes)
    if listed is None:
        others: list[str] = []
        results: Iterable[Part] = [_parse_stream(raw, suffix, parse, others, max_bytes)]
    else:
        files, others = listed
        results = _parse_parts(files, parse, parts, jobs, files_per_part)
    samples: dict[str, Sample] = {}
    origin: dict[str, str] = {}
    refused: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {}
    for result in results:
        for file, file_samples in result["samples"]:
            for sample in file_samples:
                name = sample["frame_dir"]
                if name in samples:
                    why = f"sample {name} was already read from {origin[name]}"
                    refused.append({"file": file, "kind": "duplicate", "why": why})
                else:
                    samples[name], origin[name] = sample, file
        refused += result["refused"]
        for file, reason in result["left_out"]:
            left_out.setdefault(reason, []).append(file)
    if not samples and not refused and not left_out:
        endings = suffix if isinstance(suffix, str) else ", ".join(suffix)
        raise DataError(
            f"found no file whose name ends in {endings}", kind="empty", file=str(raw)
        )
    return Parsed(
        [samples[name] for name in sorted(samples)], refused, left_out, others
    )


def _parse_stream(
    raw: StrPath,
    suffix: str | tuple[str, ...],
    parse: Parse,
    others: list[str],
    max_bytes: int | None,
) -> Part:
    results: list[tuple[str, Outcome]] = []
    files = read_files(raw, suffix, max_bytes)
    for name, content in progress(files, "parsing", unit="file"):
        if content is None:
            others.append(name)
        else:
            results.append((name, _parse_file(name, content, parse)))
    return _sort_results(results)


def _parse_file(name: str, content: bytes, parse: Parse) -> Outcome:
    try:
        return parse(name, content)
    except SkipFile as reason:
        return str(reason)
    except MSG3DError as error:
        entry = {"file": name, "kind": error.kind, "why": error.message}
        line = error.where.line
        return entry if line is None else dict(entry, line=line)
    except ValueError as error:
        return {"file": name, "kind": "corrupt", "why": str(error)}


def _sort_results(results: list[tuple[str, Outcome]]) -> Part:
    return {
        "samples": [(name, result) for name, result in results if type(result) is list],
        "refused": [result for _, result in results if type(result) is dict],
        "left_out": [(name, result) for name, result in results if type(result) is str],
    }


def _parse_parts(
    files: list[RawFile],
    parse: Parse,
    parts: StrPath,
    jobs: int | None,
    files_per_part: int,
) -> Iterator[Part]:
    """Yield the results of each part, in the order of the files."""
    starts = range(0, len(files), files_per_part)
    chunks = [files[start : start + files_per_part] for start in starts]
    paths = [f"{parts}/{part_key(chunk, parse)}" for chunk in chunks]
    missing = [
        (chunk, path)
        for chunk, path in zip(chunks, paths, strict=True)
        if not Path(path + REST).exists()
    ]
    if missing:
        Path(parts).mkdir(parents=True, exist_ok=True)
    jobs = min(jobs or _cores(), len(missing))
    cached = len(files) - sum(len(chunk) for chunk, _ in missing)
    if jobs <= 1:
        counts: Iterable[int] = (
            _parse_part(chunk, path, parse) for chunk, path in missing
        )
    else:
        counts = _in_processes(missing, parse, jobs)
    parsed = (number for count in counts for number in range(count))
    for _ in progress(parsed, "parsing", total=len(files), initial=cached, unit="file"):
        pass
    return map(read_part, paths)


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_processes(
    missing: list[tuple[list[RawFile], str]], parse: Parse, jobs: int
) -> Iterator[int]:
    with ProcessPoolExecutor(jobs, initializer=_ignore_interrupt) as pool:
        futures = [
            pool.submit(_parse_part, chunk, path, parse) for chunk, path in missing
        ]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process was killed, probably because memory ran out. Run the "
                "command again with a smaller --num-workers. It resumes where it stopped.",
                kind="worker",
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    # Ctrl-C reaches all processes; the main process stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _parse_part(chunk: list[RawFile], path: str, parse: Parse) -> int:
    results = [
        (file.name, _parse_file(file.name, file.read(), parse)) for file in chunk
    ]
    write_part(_sort_results(results), path)
    return len(chunk)


def part_key(chunk: list[RawFile], parse: Parse) -> str:
    """Return the cache key for files and a parser, which is the same in all processes."""
    function: Callable[..., list[Sample]] = parse
    options: tuple[Any, ...] = ()
    if isinstance(parse, partial):
        function, options = parse.func, (parse.args, sorted(parse.keywords.items()))
    source = source_hash(PACKAGE)
    if not function.__module__.startswith(f"{PACKAGE.name}."):
        source += inspect.getsource(sys.modules[function.__module__])
    text = repr((function.__module__, function.__qualname__, options, source, chunk))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def source_hash(package: Path) -> str:
    """Return a hash of the source of all modules that a parser can import."""
    digest = hashlib.sha256()
    for layer in LAYERS:
        for path in sorted((package / layer).rglob("*.py")) or [package / layer]:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(package)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def write_part(data: Any, path: str) -> None:
    """Write containers, text, numbers, and arrays to the two files of a part.

    Raises:
        OSError: the part cannot be written. No partial part is left behind.
    """
    buffers: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    with whole_file(path + ARRAYS) as file:
        for view in views:
            file.write(view)
    with whole_file(path + REST) as file:
        pickle.dump(([view.nbytes for view in views], rest), file)


def read_part(path: str) -> Any:
    """Read a part that `write_part` wrote.

    The arrays are read-only views of the file, which may be deleted.
    """
    sizes, rest = loads_plain(Path(path + REST).read_bytes())
    if not sum(sizes):
        return loads_plain(rest, [b""] * len(sizes))
    with Path(path + ARRAYS).open("rb") as file:
        if os.name == "nt":  # mapped files cannot be deleted on Windows
            mapped = memoryview(file.read())
        else:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers, start = [], 0
    for size in sizes:
        buffers.append(mapped[start : start + size])
        start += size
    return loads_plain(rest, buffers)


def forget_parts(folder: StrPath) -> None:
    """Delete the parts in a folder, and the folder itself if this leaves it empty."""
    parts = Path(folder)
    if parts.is_dir():
        for path in list(parts.iterdir()):
            if path.name.endswith((ARRAYS, REST, ".tmp")):
                path.unlink()
        if not any(parts.iterdir()):
            parts.rmdir()
