"""The rows of the tables: models of the index that differ in their stream only."""

import re
from dataclasses import dataclass, field

from .describe import parse_name

STREAMS = ("joint", "bone", "joint-motion", "bone-motion", "laban")


@dataclass
class Group:
    """The models that differ in their stream only.

    Args:
        data: as in `NTU60-XSub-3D`.
        network: first part of their names, as in `msg3d-48c`.
        recipe: as in `u100-80e`.
        models: of the index, by stream.
        published: figures that others report for this data and recipe.
    """

    data: str
    network: str
    recipe: str
    models: dict[str, dict] = field(default_factory=dict)
    published: list[dict] = field(default_factory=list)

    @property
    def about(self) -> dict:
        """Metadata, the same for all streams but for the stream."""
        return next(iter(self.models.values()))["Metadata"]

    @property
    def has_figures(self) -> bool:
        """Whether anybody, we or others, has a result."""
        ours = any(model.get("Results") for model in self.models.values())
        return ours or bool(self.published)


def groups(collection: dict, models: list[dict]) -> list[Group]:
    """The models of a collection, ordered by data, then network and recipe."""
    found = {}
    for model in models:
        if model["In Collection"] != collection["Name"]:
            continue
        name, about = parse_name(model["Name"]), model["Metadata"]
        key = (about["Training Data"], name["network"], name["recipe"])
        group = found.setdefault(key, Group(*key))
        group.models[about["Stream"]] = model
    for group in found.values():
        group.models = {s: group.models[s] for s in STREAMS if s in group.models}
        group.published = [
            figure
            for figure in collection.get("Published", [])
            if (figure["Training Data"], figure.get("Recipe"))
            == (group.data, group.recipe)
        ]
    return sorted(found.values(), key=lambda g: (_order(g.data), g.network, g.recipe))


def _order(data: str) -> tuple:
    """Data sets by name, their numbers as numbers, 3D before 2D."""
    form = data.rsplit("-", 1)[-1]
    parts = re.split(r"(\d+)", data.removesuffix(f"-{form}"))
    return [int(p) if p.isdigit() else p for p in parts], form == "2D"
