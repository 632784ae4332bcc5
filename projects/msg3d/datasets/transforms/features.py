"""Transforms for input features: streams of joints and bones, and Laban's Effort."""

from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class SkeletonFeatures(StepTransform):
    """Compute streams, like MMAction2's GenSkeFeat but for every layout.

    Based on `preprocessing.streams`. A third channel of `keypoint` is z in every layout,
    and every layout supports scores. In contrast, GenSkeFeat interprets the third channel
    as a score in 'coco' and 'openpose', and rejects scores in 'nturgb+d'.

    Args:
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary as in
            `graph_cfg`.
        feats: streams to compute, in order: 'j' (joints), 'b' (bones, joint minus
            parent), 'jm' (joint motion), and 'bm' (bone motion). A motion is the next
            frame minus the current frame, and zero in the last frame. By default, the
            only stream is that of the data set, set by `SkeletonDataset(stream=...)`.
        axis: axis along which several streams are concatenated.
        mask_absent: set bones and motions with an absent end to zero, see
            `skeleton_streams`. Do not use this option if every frame is centered. The
            center is then zero, and its bones would be masked.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T, V, len(feats) * C'] (for
    axis=-1), where C is 2 or 3 and C' includes the score.
    Optional key: `stream`, 'j' by default.
    Optional and removed key: `keypoint_score` [M, T, V], which requires C = 2.

    Raises:
        ConfigError: a stream is unknown (kind `option`), or the layout is unknown (kind
            `layout`).
        DataError: a sample has the wrong number of joints (kind `layout`) or channels
            (kind `shape`).
    """

    step = staticmethod(steps.skeleton_features)


@TRANSFORMS.register_module()
class LabanEffort(StepTransform):
    """Compute three channels per joint for each of Laban's four Efforts.

    Based on `preprocessing.laban`. Angles depend on the view, so put AlignView before
    this transform. Velocities depend on the time between frames, so sample clips after
    it.

    Args:
        layout: name of a layout in `msg3d.skeletons`, or a layout dictionary, whose bones
            are used.
        efforts: some of 'time', 'flow', 'space', and 'weight', in the order of the
            output.
        coordinates: put the coordinates before the Efforts.
        variant: 'published' or 'corrected', see `preprocessing.laban`.
        time: 'frame' for velocities, or 'joint' for the difference of consecutive joints,
            x_j(t) - x_{j-1}(t), as in the code of Erkoç et al.
        fps: frames per second, to compute velocities, second differences, and energies
            per second. By default, they are computed per frame. Energies in meters per
            frame are too small compared with the epsilon of a BatchNorm.
        center: joint, or several joints, that normalization moved to the origin. They
            are treated as present although they are zero. By default, the origin of
            AlignView.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T, V, C], where C is
    3 for the coordinates plus 3 per Effort.

    Raises:
        ConfigError: `efforts`, `variant`, `time`, or `fps` is invalid (kind `option`), or
            the layout is unknown (kind `layout`).
        DataError: a sample does not match the layout (kind `layout`).

    Example:
        >>> laban = LabanEffort('smpl24')
        >>> laban(dict(keypoint=np.random.rand(1, 250, 24, 3)))['keypoint'].shape
        (1, 250, 24, 15)
    """

    step = staticmethod(steps.laban_effort)
