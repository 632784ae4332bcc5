"""Metafiles of the model index, which mim and MMEngine read.

Written by hand: Collections, with the results of other authors in `Published`, and the
Results and Weights of models. Derived from the configs: the rest of Models, which
`mim search` filters by. A config's name describes its recipe (`parse_name`).
"""

import json
from functools import cache
from pathlib import Path

import yaml
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import msg3d  # noqa: F401
from msg3d.apis import model_index
from msg3d.apis.flops import count_flops, input_shape
from msg3d.apis.model_index import parse_name
from msg3d.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]
INDEX = REPOSITORY / "projects" / "msg3d" / ".mim" / "model-index.yml"

_DERIVED = ("Name", "Config", "In Collection", "Metadata")


def metafiles() -> list[Path]:
    """Return the paths of the repository's metafiles, in the order of the index."""
    return model_index.metafiles(INDEX)


def leaves(metafile: Path) -> list[Path]:
    """Return the paths of the configs next to a metafile."""
    return sorted(metafile.parent.glob("*.py"))


def read(metafile: Path) -> dict[str, list[dict]]:
    """Return the Collections and Models of a metafile."""
    return {"Models": [], **yaml.safe_load(metafile.read_text(encoding="utf-8"))}


def entry(config: Path, collections: list[dict]) -> dict:
    """Derive the entry of a config.

    Input is clips x persons x frames x joints x channels of a test sample. FLOPs are for
    one clip with all persons present, two per multiply-add.

    Raises:
        ConfigError: no collection lists the model's backbone (`unknown-name`).
    """
    cfg, name = Config.fromfile(config), parse_name(config.stem)
    backbone = cfg.model.backbone.type
    for collection in collections:
        if backbone in collection["Metadata"]["Architecture"]:
            break
    else:
        raise ConfigError(
            f"no collection in {config.parent / 'metafile.yml'} lists {backbone} under "
            "Metadata: Architecture. Add it.",
            kind="unknown-name",
            file=str(config),
            field="backbone",
        )
    shape = input_shape(cfg)
    return {
        "Name": config.stem,
        "Config": Path(*config.parts[-3:]).as_posix(),
        "In Collection": collection["Name"],
        "Metadata": {
            "Training Data": name["data"],
            "Epochs": int(name["epochs"]),
            "Batch Size": int(name["batch"]),
            "Input": "x".join(map(str, shape)),
            **_costs(json.dumps(cfg.model.to_dict()), (1, *shape[1:])),
        },
    }


@cache
def _costs(model: str, shape: tuple[int, ...]) -> dict[str, int]:
    init_default_scope("mmaction")
    counts = count_flops(MODELS.build(json.loads(model)), shape)
    return {"Parameters": counts["parameters"], "FLOPs": counts["flops"]}


def renewed(metafile: Path) -> list[dict]:
    """Return Models, derived from the current configs.

    Raises:
        ConfigError: a config matches no collection, or a model with results has no
            config (`unknown-name`).
    """
    old = read(metafile)
    by_hand = {
        model["Name"]: {k: v for k, v in model.items() if k not in _DERIVED}
        for model in old["Models"]
    }
    models = [entry(config, old["Collections"]) for config in leaves(metafile)]
    models = [{**model, **by_hand.pop(model["Name"], {})} for model in models]
    for name in filter(by_hand.get, by_hand):
        raise ConfigError(
            f"{name} has results but no config. Move the results to the renamed model, "
            "or remove them.",
            kind="unknown-name",
            file=str(metafile),
            field=name,
        )
    return models


def with_models(text: str, models: list[dict]) -> str:
    """Return the text of a metafile with other Models, one line per key."""
    lines = [text.partition("\nModels:\n")[0].rstrip(), "Models:"]
    for model in models:
        for key, value in model.items():
            if not isinstance(value, str):
                options = {
                    "default_flow_style": True,
                    "sort_keys": False,
                    "width": 10**6,
                }
                value = yaml.safe_dump(value, allow_unicode=True, **options).strip()
            lines.append(f"{'-' if key == 'Name' else ' '} {key}: {value}")
    return "\n".join(lines) + "\n"
