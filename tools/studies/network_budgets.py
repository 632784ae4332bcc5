"""Studies: those of `networks` under another budget than the small one."""

from functools import partial
from types import SimpleNamespace

from . import networks


def under(*starts: str, **budget) -> SimpleNamespace:
    """The study of networks, in part, under a budget.

    Args:
        *starts: of the names of its settings.
        **budget: of `network_configs.config`.
    """
    return SimpleNamespace(
        settings=lambda: [s for s in networks.settings() if s.startswith(starts)],
        run=partial(networks.run, **budget),
        derived=networks.derived,
        report=networks.report,
        pictures=networks.pictures,
    )


MANY_PASSES = dict(channels=16, frames=24, longer=10)
BUDGETS = {
    # MS-G3D at half its published width under the whole recipe, all four streams: what
    # two cores train in 95 minutes a seed.
    "networks-half": under("nw-ucla-xview/msg3d/", whole=True, channels=48),
    # Where MS-G3D is not ahead in the small budget. On SBU its 16 passes are 230 steps,
    # on Penn Action its 8 are 630.
    "networks-longer": under("sbu-", "penn-action/", longer=4),
    # The augmentation of recipe `strong`, which wants passes: ten times the small budget's,
    # paid for by a sixth of the published width. And that without it.
    "networks-strong": under("nw-ucla-xview/msg3d/", strong=True, **MANY_PASSES),
    "networks-plain": under("nw-ucla-xview/msg3d/", **MANY_PASSES),
    # All of it at the published width under the whole recipes; for a GPU.
    "networks-whole": under("", whole=True),
    # With the channels of the others: in the small budget it is the smallest there.
    "networks-wider": under("penn-action/msg3d/", channels=16),
}
