"""The tables of models in README.md and docs/models.md, made from the metafiles."""

import re

from msg3d.apis.model_index import parse_name
from msg3d.errors import ConfigError

STREAMS = ("joint", "bone", "joint-motion", "bone-motion", "laban")
BEGIN = "<!-- model table, from tools/model_table.py -->"
END = "<!-- end -->"
_COUNTS = {2: "two streams", 4: "four streams"}
_COLUMNS = ("M parameters", "GMAC", "published, by others", "ours")


def with_table(text: str, table: str) -> str:
    """Return a document with `table` between its markers.

    Raises:
        ConfigError: it does not have one of each marker, in their order (`structure`).
    """
    match = re.fullmatch(f"(.*{BEGIN}\n).*(\n{END}.*)", text, re.DOTALL)
    if not match or text.count(BEGIN) != 1:
        raise ConfigError(
            f"expected the lines {BEGIN} and, after it, {END} around the models",
            kind="structure",
        )
    return f"{match[1]}{table}{match[2]}"


def readme(metafiles: list[dict]) -> str:
    """Return the table of README.md: the results of the first collection.

    A row is a data set and split; a line in it is a recipe with a result, ours or
    others', that links to its first config.
    """
    collection, models = next(_collections(metafiles))
    rows = {}
    for (data, network, recipe), by_stream in groups(collection, models):
        _, parameters, cost, others, ours = _cells(collection, by_stream, "")
        if others + ours != "––":
            config = next(iter(by_stream.values()))["Config"]
            link = f"[`{network}` `{recipe}`]({config})"
            rows.setdefault(data, []).append((link, parameters, cost, others, ours))
    table = _table(
        (f"{collection['Name']} on", "recipe", *_COLUMNS),
        [
            (data, *map("<br>".join, zip(*lines, strict=True)))
            for data, lines in rows.items()
        ],
    )
    return "\n".join(table)


def document(metafiles: list[dict]) -> str:
    """Return the tables of docs/models.md: every config, every published figure."""
    head = ("data, split", "configs", "input", "batch, epochs", *_COLUMNS)
    parts = []
    for collection, models in _collections(metafiles):
        title = f"[{collection['Paper']['Title']}]({collection['Paper']['URL']})"
        rows = []
        for (data, _, _), by_stream in groups(collection, models):
            configs, *cells = _cells(collection, by_stream, "../")
            model = next(iter(by_stream.values()))
            name = parse_name(model["Name"])
            clips, *sizes = model["Metadata"]["Input"].split("x")
            shape = " × ".join(sizes) + (f", {clips} clips" if clips != "1" else "")
            batch = f"{name['gpus']} × {name['batch']}, {name['epochs']}"
            rows.append((data, configs, shape, batch, *cells))
        parts += ["", f"## {collection['Name']}", "", title, "", *_table(head, rows)]
        parts += _published(collection)
    return "\n".join(parts)


def groups(collection: dict, models: list[dict]) -> list[tuple[tuple, dict]]:
    """Return ((data, network, recipe), {stream: model}), ordered by the former."""
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
    """Data sets by name, their numbers as numbers, 3D before 2D."""
    form = data.rsplit("-", 1)[-1]
    parts = re.split(r"(\d+)", data.removesuffix(f"-{form}"))
    return [int(p) if p.isdigit() else p for p in parts], form == "2D"


def _collections(metafiles: list[dict]):
    for content in metafiles:
        for collection in content["Collections"]:
            yield collection, content["Models"]


def _table(head: tuple, rows: list[tuple]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


def _cells(collection: dict, by_stream: dict, root: str) -> tuple[str, ...]:
    """Configs, and the cells of `_COLUMNS`; links are relative to `root`."""
    model = next(iter(by_stream.values()))
    name, about = parse_name(model["Name"]), model["Metadata"]
    links = (f"[{s}]({root}{model['Config']})" for s, model in by_stream.items())
    return (
        f"`{name['network']}` `{name['recipe']}`: {' '.join(links)}",
        f"{about['Parameters'] / 1e6:.2f}",
        f"{about['FLOPs'] / 2e9:.2f}",
        _others(collection, name["data"], name["recipe"]),
        _ours(by_stream, name["data"]),
    )


def _others(collection: dict, data: str, recipe: str) -> str:
    """The first stream, and the fusion of most streams, of each source."""
    by_source = {}
    for figure in collection.get("Published", []):
        if (figure["Training Data"], figure.get("Recipe")) == (data, recipe):
            by_source.setdefault(figure["Source"], []).append(figure)
    parts = []
    for source, figures in by_source.items():
        most = max(figures, key=lambda figure: figure["Streams"].count("+"))
        values = ", ".join(
            f"{_value(f['Metrics'])}{'†' * ('Note' in f)} "
            f"{_COUNTS.get(f['Streams'].count('+') + 1, f['Streams'])}"
            for f in ([figures[0]] if figures[0] is most else [figures[0], most])
        )
        parts.append(f"{values} ([{source}]({collection['Sources'][source]['URL']}))")
    return "; ".join(parts) or "–"


def _value(metrics: dict) -> str:
    """The first metric, named unless it is top-1."""
    name, value = next(iter(metrics.items()))
    return f"{value}" if name == "Top 1 Accuracy" else f"{name} {value}"


def _ours(by_stream: dict, data: str) -> str:
    parts = []
    for stream, model in by_stream.items():
        for result in model.get("Results", []):
            metrics = result["Metrics"]
            std, seeds = metrics.get("Top 1 Accuracy Std"), metrics["Seeds"]
            where = "" if result["Dataset"] == data else f" on {result['Dataset']}"
            about = [f"{seeds} seed{'s' * (seeds > 1)}", result.get("Condition")]
            parts.append(
                f"**{_value(metrics)}**{f' ± {std}' if std else ''} {stream}{where} "
                f"({', '.join(filter(None, about))})"
            )
    return "; ".join(parts) or "–"


def _published(collection: dict) -> list[str]:
    """All figures of other authors, with their sources below."""
    head = ("published, by others", "streams", "recipe", "result", "source, doubts")
    rows = []
    for figure in collection.get("Published", []):
        metrics = ", ".join(f"{k} {v}" for k, v in figure["Metrics"].items())
        doubts = ": ".join(filter(None, (figure["Source"], figure.get("Note"))))
        recipe = f"`{figure['Recipe']}`" if "Recipe" in figure else "another"
        streams = figure["Streams"].replace("+", " + ")
        rows.append((figure["Training Data"], streams, recipe, metrics, doubts))
    sources = [
        f"- {name}: [{source['Title']}]({source['URL']})"
        for name, source in collection.get("Sources", {}).items()
    ]
    return ["", *_table(head, rows), "", *sources] if rows else []
