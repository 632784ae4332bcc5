"""Selection of persons, and conversion of layouts."""

from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class SelectPersons(StepTransform):
    """Keep the persons who rank highest by a rule, best first.

    Based on `preprocessing.persons`. In contrast, MMAction2's FormatGCNInput keeps the
    first persons of the file, and pads missing persons with zeros.

    Put this first in a pipeline: view alignment depends on the first person,
    PreNormalize2D sets absent joints to -1, and GenSkeFeat merges scores into `keypoint`.

    Args:
        num_person: maximum number of persons, M'.
        by: ranking rule: 'energy', 'score', 'frame_score', 'area', or 'length'.

    Required and modified key: `keypoint` [M, T, V, C] -> [M', T, V, C], in any unit.
    Optional and modified key: `keypoint_score` [M, T, V] -> [M', T, V].

    Raises:
        ConfigError: `num_person` is below 1, or `by` is unknown; kind "option".
        DataError: the rule requires scores, but the sample has no scores; kind "score".
    """

    step = staticmethod(steps.select_persons)


@TRANSFORMS.register_module()
class ConvertLayout(StepTransform):
    """Convert keypoints to the layout of a model, with `skeletons.convert_layout`.

    Put this before transforms that depend on the layout of the model, such as
    normalization and bones.

    Args:
        source: layout of the file: a name, or a dictionary with `joints`.
        target: layout of the model.
        missing: 'error', or 'zero' to leave joints without counterpart absent.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T, V', C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T, V']. If a joint of a
    mean has score 0, the mean has score 0.

    Raises:
        MSG3DError: a layout is unknown, a joint has no counterpart, or keypoints have the
            wrong number of joints.
    """

    step = staticmethod(steps.convert_layout)
