"""Transforms for normalization of view, position, and scale.

Based on `preprocessing.align` and `preprocessing.normalize`. Absent joints are exactly zero
before and after normalization.
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
    frames becomes the first person, and frames without this person are dropped. All
    persons and frames are moved and rotated together, so that in the first frame, the
    center of the first person is the origin, the spine points along z, and the shoulders
    along x.

    For the arguments, see PreNormalize3D. Each end of `zaxis` and `xaxis` may also be a
    list of joints, for their mean.

    Required and modified key: `keypoint` [M, T, V, 3] -> float64 [M, T', V, 3]. The dtype
    is unchanged if neither spine nor shoulders are aligned.
    Optional and modified key: `total_frames`, T -> T'.
    Added key: `body_center` [3], the original position of the center (joint 1 of 25
    joints, or the last joint for other numbers of joints). It is not added if
    `align_center=False`, or if no person is detected.

    Raises:
        DataError: `total_frames` is not T (kind `total-frames`).
    """

    step: Callable[..., partial] = staticmethod(steps.pre_normalize_3d)


@TRANSFORMS.register_module()
class AlignSkeleton3D(FastPreNormalize3D):
    """FastPreNormalize3D for every layout and any center joint.

    Args:
        center: joint, or several joints for their mean, of the first person in the first
            frame that moves to the origin. By default, joint 1 if `layout` is None.
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary. It sets the
            defaults of `center` (top of the spine), `zaxis` (spine), and `xaxis`
            (shoulders).
        **kwargs: see PreNormalize3D.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T', V, 3]. Frames
    without the first person are dropped.
    Optional and modified key: `total_frames`, T -> T'.

    Raises:
        ConfigError: the layout is unknown, or has no spine or shoulders (kind `layout`).
        DataError: a sample does not match the layout (kind `layout`), or `total_frames`
            is not T (kind `total-frames`).
    """

    step = staticmethod(steps.align_skeleton_3d)


@TRANSFORMS.register_module()
class AlignView(StepTransform):
    """Align the view as in the training data of MS-G3D and 2s-AGCN.

    Based on `preprocessing.align.align_view`. The frames of persons who leave early are
    repeated. All persons are moved with the first person, and rotated to the view of the
    first person in the first frame. If the first person is never detected, the other
    persons are neither moved nor rotated. Therefore, put SelectPersons before this
    transform.

    Args:
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary. It sets the
            defaults of `center` (top of the spine), `zaxis` (spine), and `xaxis`
            (shoulders).
        center: joint, or several joints for their mean, that moves to the origin.
        zaxis: bottom and top of the spine, each one or several joints.
        xaxis: right and left shoulder, each one or several joints.
        length: number of output frames, T', which is 300 in the authors' data. By
            default, the number of frames is unchanged.

    Required and modified key: `keypoint` [M, T, V, 3], in any unit -> float32
    [M, T', V, 3].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T', V].
    Modified key: `total_frames`, T -> T'.

    Raises:
        ConfigError: `layout` is None and `center`, `zaxis`, or `xaxis` is missing (kind
            `option`). Or the layout is unknown, or has no spine or shoulders (kind
            `layout`).
        DataError: a sample does not match the layout (kind `layout`), has more than
            `length` frames (kind `shape`), or `total_frames` is not T (kind
            `total-frames`).

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

    Based on `preprocessing.normalize.center_2d`. On Kinetics, ST-GCN is trained with
    x - 0.5 and y - 0.5, where x and y are fractions of the image (`half=0.5`). 2s-AGCN and
    MS-G3D also flip y (`half=0.5, y_up=True`).

    Args:
        half: new coordinate of the right edge of the image. The left edge becomes -`half`.
        y_up: let the y axis point up as in 3D data, so that the upper edge of the image
            becomes `half`.
        img_shape: (height, width) for samples without `img_shape`.

    Required and modified key: `keypoint` [M, T, V, 2], float.
    Optional key: `img_shape`, (height, width) in the unit of `keypoint`, or (1, 1) for
    fractions of the image.
    """

    step = staticmethod(steps.center_pose_2d)


@TRANSFORMS.register_module()
class ScaleToUnit(StepTransform):
    """Scale a sequence to the range -1 to 1 along each axis (min-max normalization).

    Based on `preprocessing.normalize.scale_to_unit`. Position and size are removed, so
    shifting or scaling a sequence before this transform has no effect.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    """

    step = staticmethod(steps.scale_to_unit)
