"""Select the persons and the joints that the network sees."""

from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class SelectPersons(StepTransform):
    """Keep the best persons by a rule, best first: `preprocessing.persons`.

    MMAction2's FormatGCNInput keeps the first persons of the file, whoever they are,
    and pads the missing ones with zeros.

    It belongs first in a pipeline: view alignment turns all persons with the first,
    PreNormalize2D makes absent joints -1, and GenSkeFeat merges scores into `keypoint`.

    Args:
        num_person: how many to keep at most, M'.
        by: the rule: 'energy', 'score', 'frame_score', 'area' or 'length'.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M', T, V, C], in any unit;
    `keypoint_score` [M, T, V] -> [M', T, V], if there is one.

    Raises:
        ConfigError: `num_person` is below 1, or `by` is unknown; kind "option".
        DataError: the rule needs scores and the sample has none; kind "score".
    """

    step = staticmethod(steps.select_persons)


@TRANSFORMS.register_module()
class ConvertLayout(StepTransform):
    """Convert data of one layout for a model of another: `skeletons.convert_layout`.

    Belongs before everything that depends on the model's layout: normalization, bones.

    Args:
        source: layout of the file: a name, or a dictionary with `joints`.
        target: layout of the model.
        missing: 'error', or 'zero' to leave joints without counterpart absent.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, T, V', C];
    `keypoint_score` [M, T, V] -> [M, T, V'] likewise, if there is one (a mean of
    which one joint has score 0 has score 0).

    Raises:
        MSG3DError: unknown layout, a joint without counterpart, or keypoints of
            another number of joints.
    """

    step = staticmethod(steps.convert_layout)
