"""The tables of models in README.md and docs/models.md, made from the metafiles."""

import re

from msg3d.errors import ConfigError

from .groups import Group, groups

BEGIN = "<!-- model table, from tools/model_table.py -->"
END = "<!-- end -->"
_COUNTS = {2: "two streams", 4: "four streams"}
_COLUMNS = ("M parameters", "GMAC", "published, by others", "ours")


def readme(metafiles: list[dict]) -> str:
    """The part of README.md between the markers: the first network's results.

    A row is a data set and split, a line in it a recipe that has a result, of us or
    others; the recipe leads to its first config.
    """
    collection, models = next(_collections(metafiles))
    rows = {}
    for group in groups(collection, models):
        if group.has_figures:
            _, *cells = _cells(group, collection, "")
            config = next(iter(group.models.values()))["Config"]
            link = f"[`{group.network}` `{group.recipe}`]({config})"
            rows.setdefault(group.data, []).append((link, *cells))
    lines = _table(
        (f"{collection['Name']} on", "recipe", *_COLUMNS),
        [(data, *map("<br>".join, zip(*lines))) for data, lines in rows.items()],
    )
    parts = [
        *lines,
        "",
        "Published figures are other people's, not run here; † marks doubtful ones. All",
        f"{_number(metafiles)} configs, those of the other networks too, are in",
        "[docs/models.md](docs/models.md); `mim search msg3d` reads the same index.",
    ]
    return "\n".join(parts)


def with_table(text: str, table: str) -> str:
    """A README's text with `table` between its markers.

    Raises:
        ConfigError: it does not have one of each marker, in their order (`structure`).
    """
    found = re.fullmatch(f"(.*{BEGIN}\n).*(\n{END}.*)", text, re.DOTALL)
    if not found or text.count(BEGIN) != 1:
        raise ConfigError(
            f"expected the lines {BEGIN} and, after it, {END}, around the table of "
            "models",
            kind="structure",
            file="README.md",
        )
    return f"{found[1]}{table}{found[2]}"


def document(metafiles: list[dict]) -> str:
    """docs/models.md: every config, and every published figure with its source."""
    parts = [
        "# Models",
        "",
        f"All {_number(metafiles)} configs, from the metafiles beside them, which",
        "`mim search` reads; `python tools/model_table.py --write` makes metafiles and",
        "this page from the configs.",
        "",
        "```shell",
        "mim search msg3d --model ms-g3d --dataset ntu60-xsub-3d",
        "mim search msg3d --condition 'parameters<3000000,epochs<=60' "
        "--field parameters flops",
        "```",
        "",
        "- **Input**: persons × frames × joints × channels of one clip, and clips a",
        "  sample in testing.",
        "- **Batch**: GPUs × samples of a step; on other numbers of them the learning",
        "  rate is scaled with the batch. **Epochs**: passes over the training samples.",
        "- **GMAC**: of one clip, all persons present; matrix products with adjacency",
        "  matrices are counted too. MS-G3D's count is that of our forward pass; in the",
        "  order of the published one it would be more (10.92 for 9.32 on NTU60-XSub-3D).",
        "- **Published**: top-1 % as others report it for this recipe, not run here; all",
        "  their figures, whence, and doubts (†) are below each table. As a rule they are",
        "  of one seed, and of the epoch that is best on the test set.",
        "- **Ours**: top-1 % of the last epoch, mean ± standard deviation over seeds.",
        "- 2D and 3D skeletons, and OpenPose's and COCO's Kinetics, are different inputs:",
        "  their figures are not to be compared.",
    ]
    for collection, models in _collections(metafiles):
        paper = collection["Paper"]
        parts += [
            "",
            f"## {collection['Name']}",
            "",
            f"[{paper['Title']}]({paper['URL']})",
        ]
        rows = []
        for group in groups(collection, models):
            configs, *cells = _cells(group, collection, "../")
            rows.append((group.data, configs, *_shape(group.about), *cells))
        head = ("data, split", "configs", "input", "batch, epochs", *_COLUMNS)
        parts += ["", *_table(head, rows), "", *_published(collection)]
    return "\n".join(parts).rstrip() + "\n"


def _collections(metafiles: list[dict]):
    for content in metafiles:
        for collection in content["Collections"]:
            yield collection, content["Models"]


def _number(metafiles: list[dict]) -> int:
    return sum(len(content["Models"]) for content in metafiles)


def _table(head: tuple, rows: list[tuple]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


def _cells(group: Group, collection: dict, root: str) -> tuple[str, ...]:
    """Configs, and what `_COLUMNS` names; links are relative to `root`."""
    links = (f"[{s}]({root}{model['Config']})" for s, model in group.models.items())
    configs = f"`{group.network}` `{group.recipe}`: {' '.join(links)}"
    parameters = f"{group.about['Parameters'] / 1e6:.2f}"
    cost = f"{group.about['FLOPs'] / 2e9:.2f}"
    return configs, parameters, cost, _others(group, collection), _ours(group)


def _shape(about: dict) -> tuple[str, str]:
    sizes = (about[key] for key in ("Persons", "Frames", "Joints", "Channels"))
    clips = f", {about['Clips']} clips" if about["Clips"] > 1 else ""
    training = f"{about['GPUs']} × {about['Batch Size']}, {about['Epochs']}"
    return " × ".join(map(str, sizes)) + clips, training


def _others(group: Group, collection: dict) -> str:
    """Of each source the first stream and the fusion of most."""
    by_source = {}
    for figure in group.published:
        by_source.setdefault(figure["Source"], []).append(figure)
    parts = []
    for source, figures in by_source.items():
        most = max(figures, key=_stream_count)
        shown = [figures[0]] if figures[0] is most else [figures[0], most]
        values = ", ".join(
            f"{_value(f['Metrics'])}{'†' * ('Note' in f)} {_streams(f)}" for f in shown
        )
        parts.append(f"{values} ([{source}]({collection['Sources'][source]['URL']}))")
    return "; ".join(parts) or "–"


def _stream_count(figure: dict) -> int:
    return figure["Streams"].count("+") + 1


def _streams(figure: dict) -> str:
    return _COUNTS.get(_stream_count(figure), figure["Streams"])


def _value(metrics: dict) -> str:
    """The first metric, which is top-1 unless said otherwise."""
    name, value = next(iter(metrics.items()))
    return f"{value}" if name == "Top 1 Accuracy" else f"{name} {value}"


def _ours(group: Group) -> str:
    parts = []
    for stream, model in group.models.items():
        for result in model.get("Results", []):
            metrics = result["Metrics"]
            std = metrics.get("Top 1 Accuracy Std")
            seeds = metrics["Seeds"]
            where = (
                "" if result["Dataset"] == group.data else f" on {result['Dataset']}"
            )
            about = [f"{seeds} seed{'s' * (seeds > 1)}", result.get("Condition")]
            parts.append(
                f"**{_value(metrics)}**{f' ± {std}' if std else ''} {stream}{where} "
                f"({', '.join(filter(None, about))})"
            )
    return "; ".join(parts) or "–"


def _published(collection: dict) -> list[str]:
    """All figures of others, with their sources below."""
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
    return [*_table(head, rows), "", *sources] if rows else []
