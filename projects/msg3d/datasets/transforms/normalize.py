"""Normalize view, position and scale: `preprocessing.align` and `.normalize`.

Joints that are exactly zero are absent, before and after.
"""

from collections.abc import Callable
from functools import partial

from mmaction.datasets.transforms import PreNormalize2D, PreNormalize3D
from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class FastPreNormalize3D(StepTransform, PreNormalize3D):
    """PreNormalize3D, vectorized and for any number of persons: `pre_normalize_3d`.

    The person present in most frames becomes the first, and frames without that person
    are dropped. All are moved and turned alike: the first person's center in the first
    frame to the origin, the spine onto z, the shoulders onto x.

    Args: PreNormalize3D's. Ends of `zaxis` and `xaxis` may be several joints, whose
    mean counts.

    Required and modified key: `keypoint` [M, T, V, 3], float64 afterwards (the dtype
    it had, if neither spine nor shoulders are aligned).
    Optional and modified key: `total_frames`, T.
    Added key: `body_center` [3], where the center was: joint 1 of 25, the last joint
    of any other number; not if `align_center=False` or if no person is detected.

    Raises:
        DataError: `total_frames` is not T; kind "total-frames".
    """

    step: Callable[..., partial] = staticmethod(steps.pre_normalize_3d)


@TRANSFORMS.register_module()
class AlignSkeleton3D(FastPreNormalize3D):
    """FastPreNormalize3D for every layout, with the center joint named.

    Args:
        center: joint of the first person's first frame that becomes the origin, or
            several joints whose mean does; without a layout 1.
        layout: a name of `msg3d.skeletons`, or such a dictionary. The top of its spine,
            its spine and its shoulders are the defaults of `center`, `zaxis` and
            `xaxis`.
        **kwargs: of PreNormalize3D.

    Required and modified keys: `keypoint` [M, T, V, 3], float32 afterwards;
    `total_frames` (frames without the first person are dropped).

    Raises:
        ConfigError: unknown layout, or one without spine or shoulders.
        DataError: a sample of another layout; kind "layout".
    """

    step = staticmethod(steps.align_skeleton_3d)


@TRANSFORMS.register_module()
class AlignView(StepTransform):
    """View alignment as the authors of MS-G3D and 2s-AGCN made their data: `align_view`.

    Persons who leave early are repeated, all follow the first person, and all are
    turned into the first person's view of the first frame. If the first person is never
    detected and others are, these are neither moved nor turned: put SelectPersons
    before.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary. The top of its spine,
            its spine and its shoulders are the defaults of the next three.
        center: the joint that becomes the origin, or several whose mean does.
        zaxis: the spine as (bottom, top), each end one joint or several.
        xaxis: the shoulders as (right, left), likewise.
        length: frames T' of the result, 300 in the authors' data; None for T.

    Required and modified keys: `keypoint` [M, T, V, 3] -> [M, T', V, 3], in any unit,
    float32 afterwards; `keypoint_score` [M, T, V] -> [M, T', V], if there is one.
    Modified key: `total_frames`, T'.

    Raises:
        ConfigError: neither a layout nor all three of the others is given (kind
            "option"), unknown layout, or one without spine or shoulders.
        DataError: a sample of another layout (kind "layout") or of more than `length`
            frames (kind "shape").

    Example:
        >>> align = AlignView(layout='nturgb+d', length=300)
        >>> sample = dict(keypoint=np.random.rand(2, 80, 25, 3), total_frames=80)
        >>> align(sample)['keypoint'].shape
        (2, 300, 25, 3)
    """

    step = staticmethod(steps.align_view)


@TRANSFORMS.register_module()
class CenterPose2D(StepTransform, PreNormalize2D):
    """PreNormalize2D for poses with absent joints and persons: `center_2d`.

    The authors of ST-GCN train on Kinetics with x - 0.5 and y - 0.5, in parts of the
    image (`half=0.5`); those of 2s-AGCN and MS-G3D flip y as well (`half=0.5,
    y_up=True`).

    Args:
        half: what the right edge of the image becomes; the left one is -`half`.
        y_up: whether the upper edge becomes `half`, as with 3D joints, and not the
            lower one.
        img_shape: (height, width) for samples without one, as in PreNormalize2D.

    Required and modified key: `keypoint` [M, T, V, 2], float.
    Optional key: `img_shape`, (height, width) in the unit of `keypoint`; (1, 1) for
    coordinates in parts of the image.
    """

    step = staticmethod(steps.center_pose_2d)


@TRANSFORMS.register_module()
class ScaleToUnit(StepTransform):
    """Min-max normalization: a sequence fills -1 to 1 in each axis (`scale_to_unit`).

    It removes position, height and reach: a shift or a scale before it has no effect.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    """

    step = staticmethod(steps.scale_to_unit)
