"""Input features of the network: streams of joints and bones, or Laban's Effort."""

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
        layout: a name of `msg3d.skeletons`, or a dictionary as in `graph_cfg`.
        feats: features to compute, in order: 'j' joints, 'b' bones (joint minus parent),
            'jm' joint motion, 'bm' bone motion (next frame minus current frame; zero in
            the last frame). None selects the stream of the data set, as set by
            `SkeletonDataset(stream='b')`.
        axis: axis along which several features are concatenated.
        mask_absent: set bones and motions with an absent end to zero, see
            `skeleton_streams`. Do not use it if the center is moved to the origin in
            every frame: the center is then zero, and its bones would be masked.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T, V, len(feats) * C'] (for
    axis=-1), where C is 2 or 3 and C' includes the score.
    Optional key: `stream`; 'j' by default.
    Optional and removed key: `keypoint_score` [M, T, V]; requires C = 2.

    Raises:
        ConfigError: a feature (kind "option") or the layout is unknown.
        DataError: a sample has the wrong number of joints (kind "layout") or channels
            (kind "shape").
    """

    step = staticmethod(steps.skeleton_features)


@TRANSFORMS.register_module()
class LabanEffort(StepTransform):
    """Compute three channels per joint for each of Laban's four Efforts.

    Based on `preprocessing.laban`. Angles depend on the view, so put AlignView before
    this transform. Velocities depend on the time between frames, so sample clips after
    it.

    Args:
        layout: a name of `msg3d.skeletons`, or a layout dictionary; its bones are used.
        efforts: any of 'time', 'flow', 'space', and 'weight', in order.
        coordinates: prepend the coordinates.
        variant: 'published' or 'corrected'.
        time: 'frame' for velocities, or 'joint' for the feature of the study's published
            code, x_j(t) - x_{j-1}(t), the difference of consecutive joints.
        fps: frames per second, to compute velocities, second differences, and energies
            per second; 1 computes them per frame. Energies in meters per frame are too
            small compared with the epsilon of a BatchNorm.
        center: joint, or several joints, that normalization moved to the origin. It is
            zero but not absent. The default is the origin of AlignView.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T, V, C], where C is
    3 for the coordinates plus 3 per Effort.

    Raises:
        ConfigError: an Effort or the variant is unknown, `fps` is not above 0 (kind
            "option"), or the layout is unknown.
        DataError: a sample does not match the layout; kind "layout".

    Example:
        >>> laban = LabanEffort('smpl24')
        >>> laban(dict(keypoint=np.random.rand(1, 250, 24, 3)))['keypoint'].shape
        (1, 250, 24, 15)
    """

    step = staticmethod(steps.laban_effort)
