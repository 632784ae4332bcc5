"""What both interpreters need: the tests' own, and the one without msg3d."""

import pathlib


class Malice:
    """Unpickling it makes a folder."""

    def __init__(self, folder) -> None:
        self.code = f"__import__('os').mkdir({str(folder)!r})"

    def __reduce__(self):
        return eval, (self.code,)


class Stranger:
    """Unpickling it asks for a harmless global that nobody allowed."""

    def __reduce__(self):
        return pathlib.PurePosixPath, ("anywhere",)


class Climber:
    """Unpickling it asks `getattr` for more than a statistic of the log."""

    def __reduce__(self):
        from mmengine.logging import HistoryBuffer

        return getattr, (HistoryBuffer, "__init__")


def head():
    """A classification head of MMAction2 for four classes."""
    from mmaction.models.heads import GCNHead

    return GCNHead(num_classes=4, in_channels=8)


def samples():
    """Two data samples, of classes 0 and 1."""
    from mmaction.structures import ActionDataSample

    return [ActionDataSample().set_gt_label(label) for label in (0, 1)]
