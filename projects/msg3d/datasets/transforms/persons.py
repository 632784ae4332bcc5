"""Transforms that select persons, and convert keypoints to another layout."""

from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class SelectPersons(StepTransform):
    """Keep the persons who rank highest by a rule, best first.

    Based on `preprocessing.persons`. In contrast, MMAction2's FormatGCNInput keeps the
    first persons in the file, and pads missing persons with zeros.

    Put this transform first in a pipeline, since view alignment depends on the first
    person, PreNormalize2D sets absent joints to -1, and GenSkeFeat merges scores into
    `keypoint`.

    Args:
        num_person: maximum number of persons, M'.
        by: ranking rule, 'energy', 'score', 'frame_score', 'area', or 'length' (see
            `preprocessing.persons`).

    Required and modified key: `keypoint` [M, T, V, C] -> [M', T, V, C], in any unit.
    Optional and modified key: `keypoint_score` [M, T, V] -> [M', T, V].

    Raises:
        ConfigError: `num_person` is below 1, or `by` is unknown (kind `option`).
        DataError: the rule requires scores, but a sample has no scores (kind `score`).
    """

    step = staticmethod(steps.select_persons)


@TRANSFORMS.register_module()
class ConvertLayout(StepTransform):
    """Convert keypoints to the layout of a model, with `skeletons.convert_layout`.

    Put this transform before transforms that depend on the layout of the model, such as
    normalization and bones.

    Args:
        source: layout of the annotation file, as a name, or as a dictionary with `joints`.
        target: layout of the model.
        missing: treatment of joints without counterpart: 'error' to raise an error, or
            'zero' to set them to zero (absent).

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T, V', C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T, V']. The score of a
    joint computed as a mean is 0 if any joint of the mean has score 0.

    Raises:
        ConfigError: a layout is unknown, or a joint has no counterpart (kind `layout`).
            Or `missing` is invalid (kind `option`).
        DataError: a sample has the wrong number of joints (kind `layout`).
    """

    step = staticmethod(steps.convert_layout)
