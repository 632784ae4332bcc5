"""Normalize view, position and scale: classes over `preprocessing.align`, `.normalize`.

Joints that are exactly zero are absent, before and after.
"""

from typing import Dict, Optional, Sequence

from mmaction.datasets.transforms import PreNormalize2D, PreNormalize3D
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError
from ...preprocessing.align import align_view, pre_normalize_3d, recenter
from ...preprocessing.normalize import center_2d, scale_to_unit
from ...skeletons.body_axes import Layout, Place, axes_of, check_joints
from .sample import check_length


@TRANSFORMS.register_module()
class FastPreNormalize3D(PreNormalize3D):
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

    def transform(self, results: Dict) -> Dict:
        check_length(results)
        keypoint, center = pre_normalize_3d(
            results["keypoint"],
            self.zaxis if self.align_spine else None,
            self.xaxis if self.align_shoulder else None,
            self.align_center,
        )
        if keypoint is results["keypoint"]:  # no person detected
            return results
        results.update(keypoint=keypoint, total_frames=keypoint.shape[1])
        if center is not None:
            results["body_center"] = center
        return results


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

    def __init__(
        self, center: Optional[Place] = None, layout: Optional[Layout] = None, **kwargs
    ) -> None:
        axes = dict(center=1) if layout is None else axes_of(layout)
        origin = axes.pop("center")
        super().__init__(**dict(axes, **kwargs))
        self.center, self.layout = origin if center is None else center, layout

    def transform(self, results: Dict) -> Dict:
        if self.layout is not None:
            check_joints(results["keypoint"], self.layout)
        results = super().transform(results)
        results["keypoint"] = recenter(
            results["keypoint"], self.center, results.get("body_center")
        )
        return results


@TRANSFORMS.register_module()
class AlignView(BaseTransform):
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

    def __init__(
        self,
        layout: Optional[Layout] = None,
        center: Optional[Place] = None,
        zaxis: Optional[Sequence[Place]] = None,
        xaxis: Optional[Sequence[Place]] = None,
        length: Optional[int] = None,
    ) -> None:
        axes = dict.fromkeys(("center", "zaxis", "xaxis"))
        if layout is not None:
            axes = axes_of(layout)
        for name, axis in (("center", center), ("zaxis", zaxis), ("xaxis", xaxis)):
            axes[name] = axes[name] if axis is None else axis
        missing = [name for name, axis in axes.items() if axis is None]
        if missing:
            raise ConfigError(
                f"AlignView lacks {missing}: give layout as a name of msg3d.skeletons, "
                "or center, zaxis and xaxis as joints",
                kind="option",
                field=missing[0],
            )
        self.center, self.zaxis, self.xaxis = (
            axes["center"],
            axes["zaxis"],
            axes["xaxis"],
        )
        self.layout, self.length = layout, length

    def transform(self, results: Dict) -> Dict:
        try:
            check_length(results)
            if self.layout is not None:
                check_joints(results["keypoint"], self.layout)
            keypoint, score = align_view(
                results["keypoint"],
                self.center,
                self.zaxis,
                self.xaxis,
                self.length,
                results.get("keypoint_score"),
            )
        except DataError as error:
            raise error.at(sample=results.get("frame_dir")) from None
        results.update(keypoint=keypoint, total_frames=keypoint.shape[1])
        if score is not None:
            results["keypoint_score"] = score
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(center={self.center}, zaxis={self.zaxis}, "
            f"xaxis={self.xaxis}, length={self.length})"
        )


@TRANSFORMS.register_module()
class CenterPose2D(PreNormalize2D):
    """PreNormalize2D for poses with absent joints and persons: `center_2d`.

    The authors of ST-GCN train on Kinetics with x - 0.5 and y - 0.5, in parts of the
    image (`half=0.5`); those of 2s-AGCN and MS-G3D flip y as well (`half=0.5,
    y_up=True`).

    Args:
        half: what the right edge of the image becomes; the left one is -`half`.
        y_up: whether the upper edge becomes `half`, as with 3D joints, and not the
            lower one.
        **kwargs: of PreNormalize2D: `img_shape`, for samples without one.

    Required and modified key: `keypoint` [M, T, V, 2], float.
    Optional key: `img_shape`, (height, width) in the unit of `keypoint`; (1, 1) for
    coordinates in parts of the image.
    """

    def __init__(self, half: float = 1.0, y_up: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.half, self.y_up = half, y_up

    def transform(self, results: Dict) -> Dict:
        img_shape = results.get("img_shape", self.img_shape)
        results["keypoint"] = center_2d(
            results["keypoint"], img_shape, self.half, self.y_up
        )
        return results

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(half={self.half}, y_up={self.y_up}, "
            f"img_shape={self.img_shape})"
        )


@TRANSFORMS.register_module()
class ScaleToUnit(BaseTransform):
    """Min-max normalization: a sequence fills -1 to 1 in each axis (`scale_to_unit`).

    It removes position, height and reach: a shift or a scale before it has no effect.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    """

    def transform(self, results: Dict) -> Dict:
        results["keypoint"] = scale_to_unit(results["keypoint"])
        return results
