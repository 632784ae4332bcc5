"""Compute the input of the network: streams of joints and bones, or Laban's Effort."""

from mmaction.registry import TRANSFORMS

from ...preprocessing import steps
from .step import StepTransform


@TRANSFORMS.register_module()
class SkeletonFeatures(StepTransform):
    """MMAction2's GenSkeFeat for every layout: `preprocessing.streams`.

    A third channel of `keypoint` is z in every layout (GenSkeFeat takes it for a score
    in 'coco' and 'openpose'), and every layout may have scores (GenSkeFeat refuses
    them in 'nturgb+d').

    Args:
        layout: a name of `msg3d.skeletons`, or a dictionary as in `graph_cfg`.
        feats: any of 'j' joints, 'b' bones (joint less parent), 'jm' and 'bm' their
            motions (next frame less this one, the last zero), in the order wanted.
            None: the one that the data set names (`SkeletonDataset(stream='b')`).
        axis: along which several features are concatenated.
        mask_absent: whether a bone or motion with an absent end is zero, see
            `skeleton_streams`. Not for keypoints whose center was moved to the origin
            in every frame: the center is then zero, and its bones would be masked.

    Required and modified keys: `keypoint` [M, T, V, C], C = 2 or 3, becomes
    [M, T, V, len(feats) * C'] (for axis=-1), C' with the score.
    Optional key: `stream`, 'j' if it is missing.
    Removed keys: `keypoint_score` [M, T, V], if there is one, and then C = 2.

    Raises:
        ConfigError: unknown feature (kind "option") or layout.
        DataError: other joints than the layout's (kind "layout"), or other channels
            (kind "shape").
    """

    step = staticmethod(steps.skeleton_features)


@TRANSFORMS.register_module()
class LabanEffort(StepTransform):
    """Three channels per joint for each of Laban's four Efforts: `preprocessing.laban`.

    The angles depend on the view, so AlignView belongs before this. A clip of
    consecutive frames belongs after it: frames at other distances are other velocities.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary; its bones count.
        efforts: which of 'time', 'flow', 'space' and 'weight', in the order wanted.
        coordinates: whether the coordinates come first.
        variant: 'published' or 'corrected'.
        time: 'frame', or 'joint' for what the study's published code computes instead
            of a velocity, the difference x_j(t) - x_{j-1}(t) of neighboring numbers.
        fps: frames per second, for velocities, second differences and energies per
            second; 1 for features per frame. Energies in meters per frame are so small
            that the epsilon of a BatchNorm hides them.
        center: the joint, or several, that normalization has moved to the origin: it
            is zero, but not absent. The default is the one that AlignView moves there.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T, V, C], C = 3
    for the coordinates and 3 for each Effort.

    Raises:
        ConfigError: unknown Effort or variant, or `fps` not above 0 (kind "option");
            unknown layout.
        DataError: keypoints of another layout; kind "layout".

    Example:
        >>> laban = LabanEffort('smpl24')
        >>> laban(dict(keypoint=np.random.rand(1, 250, 24, 3)))['keypoint'].shape
        (1, 250, 24, 15)
    """

    step = staticmethod(steps.laban_effort)
