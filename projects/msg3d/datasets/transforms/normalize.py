"""Normalization of view, position, and scale: `preprocessing.align` and `.normalize`.

Absent joints are exactly zero before and after normalization.
"""

from collections.abc import Callable
from functools import partial

from mmaction.datasets.transforms import PreNormalize2D, PreNormalize3D
from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class FastPreNormalize3D(StepTransform, PreNormalize3D):
    """Vectorized PreNormalize3D for any number of persons.

    Based on `preprocessing.align.pre_normalize_3d`. The person who is present in most
    frames becomes the first, and frames without this person are dropped. All persons are
    moved and rotated alike: in the first frame, the center of the first person moves to
    the origin, the spine is rotated onto z, and the shoulders onto x.

    Args: see PreNormalize3D. Each end of `zaxis` and `xaxis` may also be several joints,
    for their mean.

    Required and modified key: `keypoint` [M, T, V, 3] -> float64. The dtype is unchanged
    if neither spine nor shoulders are aligned.
    Optional and modified key: `total_frames`, T.
    Added key: `body_center` [3], the original position of the center (joint 1 of 25, or
    the last joint of any other layout). It is not added if `align_center=False` or if no
    person is detected.

    Raises:
        DataError: `total_frames` is not T; kind "total-frames".
    """

    step: Callable[..., partial] = staticmethod(steps.pre_normalize_3d)


@TRANSFORMS.register_module()
class AlignSkeleton3D(FastPreNormalize3D):
    """FastPreNormalize3D for every layout and any center joint.

    Args:
        center: joint, or several joints for their mean, that moves to the origin, in the
            first frame of the first person; 1 by default without a layout.
        layout: a name of `msg3d.skeletons`, or a layout dictionary. It sets the defaults
            of `center` (top of the spine), `zaxis` (spine), and `xaxis` (shoulders).
        **kwargs: see PreNormalize3D.

    Required and modified keys: `keypoint` [M, T, V, 3] -> float32; `total_frames`
    (frames without the first person are dropped).

    Raises:
        ConfigError: the layout is unknown, or has no spine or shoulders.
        DataError: a sample does not match the layout; kind "layout".
    """

    step = staticmethod(steps.align_skeleton_3d)


@TRANSFORMS.register_module()
class AlignView(StepTransform):
    """View alignment as in the data of the authors of MS-G3D and 2s-AGCN.

    Based on `preprocessing.align.align_view`. The frames of persons who leave early are
    repeated. All persons are moved with the first person, and rotated to the view of the
    first person in the first frame. If the first person is never detected, the others are
    neither moved nor rotated: put SelectPersons before this transform.

    Args:
        layout: a name of `msg3d.skeletons`, or a layout dictionary. It sets the defaults
            of `center` (top of the spine), `zaxis` (spine), and `xaxis` (shoulders).
        center: joint, or several joints for their mean, that moves to the origin.
        zaxis: spine as (bottom, top), each end one or several joints.
        xaxis: shoulders as (right, left), each end one or several joints.
        length: number of output frames T', 300 in the authors' data; None for T.

    Required and modified key: `keypoint` [M, T, V, 3], in any unit -> float32
    [M, T', V, 3].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T', V].
    Modified key: `total_frames`, T'.

    Raises:
        ConfigError: `layout` is None and `center`, `zaxis`, or `xaxis` is missing (kind
            "option"); or the layout is unknown or has no spine or shoulders.
        DataError: a sample does not match the layout (kind "layout") or has more than
            `length` frames (kind "shape").

    Example:
        >>> align = AlignView(layout='nturgb+d', length=300)
        >>> sample = dict(keypoint=np.random.rand(2, 80, 25, 3), total_frames=80)
        >>> align(sample)['keypoint'].shape
        (2, 300, 25, 3)
    """

    step = staticmethod(steps.align_view)


@TRANSFORMS.register_module()
class CenterPose2D(StepTransform, PreNormalize2D):
    """PreNormalize2D that keeps absent joints and persons at zero.

    Based on `preprocessing.normalize.center_2d`. On Kinetics, the authors of ST-GCN train
    with x - 0.5 and y - 0.5 in fractions of the image (`half=0.5`). The authors of 2s-AGCN
    and MS-G3D also flip y (`half=0.5, y_up=True`).

    Args:
        half: new coordinate of the right edge of the image; the left edge is -`half`.
        y_up: the y axis points up as in 3D data, so the upper edge becomes `half`.
        img_shape: default (height, width) for samples without `img_shape`.

    Required and modified key: `keypoint` [M, T, V, 2], float.
    Optional key: `img_shape`, (height, width) in the unit of `keypoint`; (1, 1) for
    fractions of the image.
    """

    step = staticmethod(steps.center_pose_2d)


@TRANSFORMS.register_module()
class ScaleToUnit(StepTransform):
    """Min-max normalization of a sequence to the range -1 to 1 along each axis.

    Based on `preprocessing.normalize.scale_to_unit`. It removes position and size, so a
    shift or scale before this transform has no effect.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    """

    step = staticmethod(steps.scale_to_unit)
