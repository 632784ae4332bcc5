"""Numbers of our own measurements in README.md, docs/, and configs/, from result files.

    python -m studies.page            # lists the files that are out of date
    python -m studies.page --write    # updates them
    python -m studies.page --write --performance FOLDER  # new results of benchmarks, too

- A table is between `<!-- from: SOURCE -->` and `<!-- end -->`. SOURCE is
  `python -m studies STUDY --table ...` or `benchmarks/page.py TABLE`.
- A number in the text is followed by its source: `93.5<!-- = RESULTS, SETTING, KEY -->`.
  It is the mean ± standard deviation over the runs of SETTING, which may be a pattern, with
  as many decimals as before. KEY is `top1` by default, `runs` for the number of runs, or
  a path such as `stated.10`. RESULTS is a study, or a file in docs/results.
- The metrics of a result in a metafile are followed by `Source: RESULTS, SETTING, KEY`.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache, reduce
from pathlib import Path

from benchmarks import REPOSITORY
from benchmarks import page as performance
from msg3d.io.atomic import whole_file

from .__main__ import STUDIES
from .train import spread

RESULTS = REPOSITORY / "docs" / "results"
FOLDERS = {"styles": REPOSITORY / "configs" / "personality"}
TABLE = r"(?<=<!-- from: )(.+)( -->\n)((?:(?!<!-- from:)[\s\S])*?)(?=<!-- end -->)"
NUMBER = r"(\d[\d.,]*(?: ± \d[\d.]*)?)(\**<!-- = )(.+?)(?= -->)"
METRICS = r"(?<=Metrics: )(\{[^}]*\})(, Source: ')([^']+)"


def documents() -> list[Path]:
    """Return the files with numbers of ours."""
    files = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    configs = REPOSITORY / "configs"
    return files + sorted([*configs.glob("*/*.md"), *configs.glob("*/metafile.yml")])


def updated(text: str) -> str:
    """Return a text with current tables and numbers.

    Raises:
        ValueError: a source does not exist, or has no table or number.
    """
    replaced = 0
    for pattern, make in ((TABLE, _table), (NUMBER, _number), (METRICS, _metrics)):
        text, count = re.subn(pattern, make, text)
        replaced += count
    sources = re.findall(r"<!-- from: .+|<!-- = .+?-->|Source: '.+?'", text)
    if replaced != len(sources):
        raise ValueError(
            f"{replaced} of these {len(sources)} sources have a number before them, or a "
            f"table and <!-- end --> after them: {'; '.join(sources)}. Add the others"
        )
    return text


def _table(match: re.Match) -> str:
    kind, _, name = match[1].rpartition("benchmarks/page.py ")
    study = re.match(r"python -m studies (\S+) --table\b", match[1])
    if kind == "" and name in performance.TABLES:
        content = performance.TABLES[name](performance.load(performance.RESULTS))
    elif study and study[1] in STUDIES:
        content = STUDIES[study[1]].report(_stored(study[1]))
    else:
        raise ValueError(
            f"{match[1]!r} is not a source of tables. Sources are `python -m studies "
            f"STUDY --table`, where STUDY is one of {', '.join(STUDIES)}, and "
            f"`benchmarks/page.py TABLE`, one of {', '.join(performance.TABLES)}"
        )
    return f"{match[1]}{match[2]}\n{content}\n\n"


def _number(match: re.Match) -> str:
    decimals = len(match[1].partition(" ")[0].rpartition(".")[2]) * ("." in match[1])
    values = values_of(match[3])
    counts = match[3].endswith(", runs")
    number = str(len(values)) if counts else spread(values, decimals)
    return number + match[2] + match[3]


def _metrics(match: re.Match) -> str:
    values = values_of(match[3])
    mean, _, deviation = spread(values, int("." in match[1])).partition(" ± ")
    deviation = f"Top 1 Accuracy Std: {deviation}, " * bool(deviation)
    metrics = f"{{Top 1 Accuracy: {mean}, {deviation}Seeds: {len(values)}}}"
    return metrics + match[2] + match[3]


def values_of(source: str) -> list[float]:
    """Return the values of a source, such as `networks, sbu-fold1/msg3d/joint, top1`.

    Raises:
        ValueError: the file, setting, or key does not exist.
    """
    name, _, rest = source.partition(", ")
    setting, _, key = rest.partition(", ")
    rows = _rows(name)
    chosen = [row for row in rows if fnmatchcase(row["setting"], setting)]
    if not chosen:
        known = ", ".join(dict.fromkeys(row["setting"] for row in rows))
        raise ValueError(f"{name} has no setting {setting!r}. Its settings are {known}")
    if key == "runs":
        return [1.0] * len(chosen)
    try:
        return [
            reduce(lambda value, part: value[part], (key or "top1").split("."), row)
            for row in chosen
        ]
    except KeyError as error:
        raise ValueError(
            f"{name}, {setting} has no key {error} of {source!r}. Its keys are "
            f"{', '.join(chosen[0])}"
        ) from None


@cache
def _rows(name: str) -> list[dict]:
    """Return the results of a study, or of a file of benchmarks, each with a `setting`.

    Settings of benchmarks are NETWORK/PART, NETWORK/memory, or descriptions of ratios.
    """
    file = RESULTS / f"{name}.json"
    if file.exists():
        tables = json.loads(file.read_text(encoding="utf-8"))
        return [
            row | {"setting": row.get("what", f"{row.get('network')}/{part}")}
            for table in ("speed", "memory", "summary")
            for row in tables.get(table, [])
            for part in [row.get("part", table)]
        ]
    results = _stored(name)
    pooled: Callable = getattr(STUDIES.get(name), "pooled", lambda results: [])
    return results + pooled(results)


@cache
def _stored(name: str) -> list[dict]:
    file = FOLDERS.get(name, RESULTS / name) / "results.json"
    if not file.exists():
        raise ValueError(f"{file} does not exist. Copy the results of {name} there")
    return json.loads(file.read_text(encoding="utf-8"))


def main(argv: list[str] | None = None) -> int:
    """Run the command. Return 1 if a file is out of date, and 2 after an error."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--write", action="store_true", help="update the files")
    add("--performance", type=Path, help="folder of new results of `make performance`")
    args = parser.parse_args(argv)
    if args.performance and not args.write:
        parser.error("--performance replaces results. Add --write")
    file, stale = args.performance, {}
    try:
        if args.performance:
            performance.replace(args.performance)
        for file in documents():
            text = file.read_text(encoding="utf-8")
            if (new := updated(text)) != text:
                stale[file] = new
    except ValueError as error:
        print(f"studies.page: {file}: {error}", file=sys.stderr)
        return 2
    for file, text in stale.items():
        if args.write:
            with whole_file(file, "x") as out:
                out.write(text)
            print(f"wrote {file}")
        else:
            print(f"{file} is out of date. Run with --write", file=sys.stderr)
    return int(bool(stale) and not args.write)


if __name__ == "__main__":
    sys.exit(main())
