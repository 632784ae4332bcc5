"""Objects for tests of unpickling, with and without msg3d imported."""

import pathlib


class Malice:
    """Object whose unpickling creates a folder."""

    def __init__(self, folder) -> None:
        self.code = f"__import__('os').mkdir({str(folder)!r})"

    def __reduce__(self):
        return eval, (self.code,)


class Stranger:
    """Object whose unpickling requires a harmless global that is not allowed."""

    def __reduce__(self):
        return pathlib.PurePosixPath, ("anywhere",)


class Climber:
    """Object whose unpickling calls `getattr` for a private method."""

    def __reduce__(self):
        from mmengine.logging import HistoryBuffer

        return getattr, (HistoryBuffer, "__init__")


def head():
    """Return a classification head of MMAction2 for four classes."""
    from mmaction.models.heads import GCNHead

    return GCNHead(num_classes=4, in_channels=8)


def samples():
    """Return two data samples with labels 0 and 1."""
    from mmaction.structures import ActionDataSample

    return [ActionDataSample().set_gt_label(label) for label in (0, 1)]
