"""Tables of docs/models.md, generated from the metafiles."""

import re
from collections.abc import Iterator

from msg3d.apis.model_index import parse_name
from msg3d.errors import ConfigError

STREAMS = ("joint", "bone", "joint-motion", "bone-motion", "streams", "laban")
BEGIN = "<!-- model table, from tools/model_table.py -->"
END = "<!-- end -->"
# Streams and their fusions, as the tables abbreviate them
_SHORT = {
    "joint": "j",
    "bone": "b",
    "joint-motion": "jm",
    "bone-motion": "bm",
    "joint+bone": "2s",
    "joint+bone+joint-motion+bone-motion": "4s",
}
_TOP_1, _TOP_5 = "Top 1 Accuracy", "Top 5 Accuracy"


def with_table(text: str, table: str, begin: str = BEGIN) -> str:
    """Return a document with `table` between the markers `begin` and `END`.

    Raises:
        ConfigError: the markers are missing, repeated, or in the wrong order
            (`structure`).
    """
    match = re.fullmatch(f"(.*{begin}\n).*?(\n{END}.*)", text, re.DOTALL)
    if not match or text.count(begin) != 1:
        raise ConfigError(
            f"expected the line {begin} once, followed by the line {END}",
            kind="structure",
        )
    return f"{match[1]}{table}{match[2]}"


def document(metafiles: list[dict]) -> str:
    """Return the tables of docs/models.md: configs, published results, and our own."""
    lines = []
    for collection, models in _collections(metafiles):
        name, paper = collection["Name"], collection["Paper"]
        lines += ["", f"## {name}", "", f"[{paper['Title']}]({paper['URL']})"]
        lines += ["", *_configs(collection, models)]
        if own := _own(collection, models):
            lines += ["", f"### {name}: our results", "", *own]
        if published := _published(collection):
            lines += ["", f"### {name}: published results", "", *published]
    return "\n".join(lines)


def groups(collection: dict, models: list[dict]) -> list[tuple[tuple, dict]]:
    """Return pairs ((data, network, recipe), {stream: model}), sorted by the first."""
    by_key = {}
    for model in models:
        if model["In Collection"] == collection["Name"]:
            name = parse_name(model["Name"])
            key = name["data"], name["network"], name["recipe"]
            by_key.setdefault(key, {})[name["stream"]] = model
    return [
        (key, {s: by_key[key][s] for s in STREAMS if s in by_key[key]})
        for key in sorted(by_key, key=lambda key: (_order(key[0]), *key[1:]))
    ]


def _order(data: str) -> tuple:
    """Return the sort key of a data set: name, numbers by value, and 3D before 2D."""
    form = data.rsplit("-", 1)[-1]
    parts = re.split(r"(\d+)", data.removesuffix(f"-{form}"))
    return [int(p) if p.isdigit() else p for p in parts], form == "2D"


def _collections(metafiles: list[dict]) -> Iterator[tuple[dict, list[dict]]]:
    for content in metafiles:
        for collection in content["Collections"]:
            yield collection, content["Models"]


def _table(head: tuple, rows: list[tuple]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


def _configs(collection: dict, models: list[dict]) -> list[str]:
    """Return a row per data set and recipe, with links to the configs of the streams."""
    rows = []
    for (data, network, recipe), by_stream in groups(collection, models):
        model = next(iter(by_stream.values()))
        name, about = parse_name(model["Name"]), model["Metadata"]
        links = (
            f"[{_SHORT.get(stream, stream)}](../{model['Config']})"
            for stream, model in by_stream.items()
        )
        clips, *sizes = about["Input"].split("x")
        shape = "×".join(sizes) + (f", {clips} clips" if clips != "1" else "")
        cost = f"{about['Parameters'] / 1e6:.2f} M, {about['FLOPs'] / 2e9:.2f}"
        batch = f"{name['gpus']}×{name['batch']}"
        recipe = f"{_width(network)}`{recipe}`: {' '.join(links)}"
        rows.append((data, recipe, shape, batch, cost))
    return _table(("data", "configs", "input", "batch", "parameters, GMAC"), rows)


def _width(network: str) -> str:
    """Return the width of a narrowed network (`48c` of `msg3d-48c`), or ""."""
    match = re.search(r"-(\d+c)$", network)
    return f"`{match[1]}` " if match else ""


def _own(collection: dict, models: list[dict]) -> list[str]:
    rows = []
    for (_, network, recipe), by_stream in groups(collection, models):
        for stream, model in by_stream.items():
            for result in model.get("Results", []):
                metrics = result["Metrics"]
                std, runs = metrics.get(f"{_TOP_1} Std"), metrics["Seeds"]
                value = f"**{_value(metrics)}**" + (f" ± {std}" if std else "")
                link = f"{_width(network)}[`{recipe}`](../{model['Config']})"
                about = f"{runs} run{'s' * (runs > 1)}"
                if "Condition" in result:
                    about += f", {result['Condition']}"
                rows.append((result["Dataset"], link, stream, value, about))
    head = ("test data", "config", "stream", "top-1", "runs")
    return _table(head, rows) if rows else []


def _value(metrics: dict) -> str:
    """Format the first metric, with its name unless it is top-1."""
    name, value = next(iter(metrics.items()))
    return f"{value}" if name == _TOP_1 else f"{name} {value}"


def _published(collection: dict) -> list[str]:
    """Return the results of other authors, followed by notes and sources."""
    figures = collection.get("Published", [])
    if not figures:
        return []
    figures = sorted(figures, key=lambda figure: _order(figure["Training Data"]))
    accuracies = all(_TOP_1 in figure["Metrics"] for figure in figures)
    table = _by_stream(figures) if accuracies else _by_result(figures)
    sources = [
        f"- {name}: [{source['Title']}]({source['URL']})"
        for name, source in collection["Sources"].items()
    ]
    return [*table, "", *_notes(figures), *sources]


def _by_stream(figures: list[dict]) -> list[str]:
    """Return a row per data set, recipe, and source, with a column per stream."""
    streams = [s for s in _SHORT if any(f["Streams"] == s for f in figures)]
    rows = {}
    for figure in figures:
        metrics = figure["Metrics"]
        value = f"{metrics[_TOP_1]}{'†' * ('Note' in figure)}"
        if _TOP_5 in metrics:
            value += f" (top-5 {metrics[_TOP_5]})"
        key = figure["Training Data"], f"{_recipe(figure)}, {figure['Source']}"
        rows.setdefault(key, {})[figure["Streams"]] = value
    head = ("data", "recipe, source", *(_SHORT[s] for s in streams))
    return _table(
        head,
        [(*key, *(row.get(s, "") for s in streams)) for key, row in rows.items()],
    )


def _by_result(figures: list[dict]) -> list[str]:
    """Return a row per result, with all its metrics."""
    rows = [
        (
            f"{figure['Training Data']}, {figure['Streams']}",
            f"{_recipe(figure)}, {figure['Source']}",
            ", ".join(f"{name} {value}" for name, value in figure["Metrics"].items())
            + "†" * ("Note" in figure),
        )
        for figure in figures
    ]
    return _table(("data, stream", "recipe, source", "result"), rows)


def _recipe(figure: dict) -> str:
    return f"`{figure['Recipe']}`" if "Recipe" in figure else "other recipe"


def _notes(figures: list[dict]) -> list[str]:
    """Return a line per note, with the results that it applies to."""
    by_note = {}
    for figure in figures:
        if "Note" in figure:
            by_note.setdefault((figure["Source"], figure["Note"]), []).append(figure)
    lines = []
    for (source, note), noted in by_note.items():
        streams = (
            f"{f['Training Data']} {_SHORT.get(f['Streams'], f['Streams'])}"
            for f in noted
        )
        every = len(noted) == sum(f["Source"] == source for f in figures)
        where = source if every else f"{', '.join(streams)} ({source})"
        lines.append(f"- † {where}: {note}")
    return lines
