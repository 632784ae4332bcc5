"""The metafiles of the model index: OpenMMLab's form, read by mim and MMEngine.

What a config says is written from the config; Collections and a model's Results are
written by hand and kept. Figures that others published stand in a collection's
`Published`, each with a name of its `Sources`: no tool takes them for ours.
"""

from pathlib import Path

import yaml
from mmengine.config import Config

from msg3d.errors import ConfigError
from msg3d.io.atomic import whole_file

from .describe import Costs, bases_looked_up_once, metadata

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "projects" / "msg3d"
CONFIGS = PACKAGE / "configs"
INDEX = PACKAGE / ".mim" / "model-index.yml"
COMMAND = "python tools/model_table.py --write"

_HEAD = f"""\
# `{COMMAND}` writes Models from the configs and keeps
# the rest: Collections, and the Results (ours) and Weights of a model. FLOPs are those
# of one clip with all persons present, two a multiply-add.
"""
_DERIVED = ("Name", "Config", "In Collection", "Metadata")


def leaves(folder: Path | None = None) -> list[Path]:
    """The configs that train a model, of one folder or of all."""
    paths = CONFIGS.glob("*/*.py") if folder is None else folder.glob("*.py")
    return sorted(path for path in paths if path.parent.name != "_base_")


def metafiles() -> list[Path]:
    """One in each folder of leaf configs, that of MS-G3D first."""
    folders = {path.parent for path in leaves()}
    ordered = sorted(folders, key=lambda folder: (folder.name != "msg3d", folder.name))
    return [folder / "metafile.yml" for folder in ordered]


def read(path: Path) -> dict[str, list[dict]]:
    """A metafile: its Collections and Models.

    Raises:
        ConfigError: it does not exist, or has no Collections (`structure`).
    """
    content = yaml.safe_load(path.read_text()) if path.is_file() else None
    if not content or not content.get("Collections"):
        raise ConfigError(
            "expected Collections, one for each network of the folder. Write them by "
            "hand, as in configs/msg3d/metafile.yml.",
            kind="structure",
            file=str(path),
            field="Collections",
        )
    return {"Collections": content["Collections"], "Models": content.get("Models", [])}


def model(path: Path, collections: list[dict], costs: Costs | None = None) -> dict:
    """What a config says of its model, in the index's form.

    Args:
        path: a leaf config.
        collections: of its folder's metafile.
        costs: counts Parameters and FLOPs; None leaves them out.

    Raises:
        ConfigError: no collection has the model's architecture.
    """
    cfg = Config.fromfile(path)
    about = metadata(cfg)
    architecture = about["Architecture"]
    for collection in collections:
        if architecture in collection["Metadata"]["Architecture"]:
            break
    else:
        raise ConfigError(
            f"no collection of {path.parent / 'metafile.yml'} has the backbone "
            f"{architecture} in its Metadata: Architecture. Add it.",
            kind="unknown-name",
            file=str(path),
            field="backbone",
        )
    return {
        "Name": path.stem,
        "Config": path.relative_to(PACKAGE).as_posix(),
        "In Collection": collection["Name"],
        "Metadata": {**about, **(costs.of(cfg) if costs else {})},
    }


def renewed(path: Path, costs: Costs | None = None) -> dict[str, list[dict]]:
    """A metafile with its Models as the configs are now.

    Args:
        path: of the metafile.
        costs: counts Parameters and FLOPs; None leaves them out.

    Raises:
        ConfigError: a config fits no collection, or a model with results has no config
            any more.
    """
    old = read(path)
    by_hand = {
        entry["Name"]: {k: v for k, v in entry.items() if k not in _DERIVED}
        for entry in old["Models"]
    }
    with bases_looked_up_once():
        models = [
            model(leaf, old["Collections"], costs) for leaf in leaves(path.parent)
        ]
    for entry in models:
        entry.update(by_hand.pop(entry["Name"], {}))
    lost = [name for name, kept in by_hand.items() if kept]
    if lost:
        raise ConfigError(
            f"there are results of {lost[0]}, but there is no such config. Move them to "
            "the renamed model, or remove them.",
            kind="unknown-name",
            file=str(path),
            field=lost[0],
        )
    return {"Collections": old["Collections"], "Models": models}


class _Inline(dict):
    """A mapping on one line."""


class _Dumper(yaml.SafeDumper):
    """Block style but for `_Inline`; no anchors where a mapping stands twice."""

    def ignore_aliases(self, data) -> bool:
        return True


_Dumper.add_representer(
    _Inline,
    lambda dumper, data: dumper.represent_mapping(
        "tag:yaml.org,2002:map", data.items(), flow_style=True
    ),
)


def text(content: dict[str, list[dict]]) -> str:
    """A metafile as it is written."""
    collections = []
    for collection in content["Collections"]:
        published = [_Inline(figure) for figure in collection.get("Published", [])]
        collections.append({**collection, "Published": published})
        if not published:
            del collections[-1]["Published"]
    return _HEAD + yaml.dump(
        {"Collections": collections, "Models": content["Models"]},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )


def index_text() -> str:
    """`.mim/model-index.yml`, which names the metafiles, relative to itself."""
    paths = [f"../{path.relative_to(PACKAGE).as_posix()}" for path in metafiles()]
    return yaml.dump({"Import": paths})


def write(path: Path, content: str) -> None:
    """Writes `content`, whole or not at all."""
    with whole_file(str(path), "x") as file:
        file.write(content)
