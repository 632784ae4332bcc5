"""Steps of pipelines, as functions on sample dictionaries.

Each public function checks the arguments of a transform, and returns a step. A step is a
callable that modifies and returns a sample. `datasets.transforms` registers the steps in
MMAction2, and documents their arguments and keys. Exported networks, which do not require
MMAction2, look up their steps in `STEPS`.

Steps are `functools.partial` objects, which can be pickled. Their `keywords` are the
arguments of the step.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from ..skeletons import STREAMS, skeleton
from ..skeletons.body_axes import Place, axes_of, check_joints
from ..skeletons.convert import gather_joints, joint_sources
from ..skeletons.lookup import Layout
from . import align, laban, normalize, persons, streams
from . import sample as frames

__all__ = ["STEPS", "Sample", "Step"]

Sample = dict[str, Any]
Step = partial[Sample]


def pre_normalize_3d(
    zaxis: Sequence[Place] = (0, 1),
    xaxis: Sequence[Place] = (8, 4),
    align_spine: bool = True,
    align_shoulder: bool = True,
    align_center: bool = True,
) -> Step:
    return partial(_pre_normalize_3d, **locals())


def _pre_normalize_3d(
    sample: Sample,
    zaxis: Sequence[Place],
    xaxis: Sequence[Place],
    align_spine: bool,
    align_shoulder: bool,
    align_center: bool,
) -> Sample:
    check_length(sample)
    keypoint, center = align.pre_normalize_3d(
        sample["keypoint"],
        zaxis if align_spine else None,
        xaxis if align_shoulder else None,
        align_center,
    )
    if keypoint is sample["keypoint"]:  # no person detected
        return sample
    sample.update(keypoint=keypoint, total_frames=keypoint.shape[1])
    if center is not None:
        sample["body_center"] = center
    return sample


def align_skeleton_3d(
    center: Place | None = None, layout: Layout | None = None, **kwargs: Any
) -> Step:
    axes: dict[str, Any] = {"center": 1} if layout is None else axes_of(layout)
    origin = axes.pop("center")
    center = origin if center is None else center
    kwargs = pre_normalize_3d(**{**axes, **kwargs}).keywords
    return partial(_align_skeleton_3d, center=center, layout=layout, **kwargs)


def _align_skeleton_3d(
    sample: Sample, center: Place, layout: Layout | None, **kwargs: Any
) -> Sample:
    if layout is not None:
        check_joints(sample["keypoint"], layout)
    sample = _pre_normalize_3d(sample, **kwargs)
    sample["keypoint"] = align.recenter(
        sample["keypoint"], center, sample.get("body_center")
    )
    return sample


def align_view(
    layout: Layout | None = None,
    center: Place | None = None,
    zaxis: Sequence[Place] | None = None,
    xaxis: Sequence[Place] | None = None,
    length: int | None = None,
) -> Step:
    axes: dict[str, Any] = {"center": None, "zaxis": None, "xaxis": None}
    if layout is not None:
        axes = axes_of(layout)
    for name, axis in (("center", center), ("zaxis", zaxis), ("xaxis", xaxis)):
        axes[name] = axes[name] if axis is None else axis
    missing = [name for name, axis in axes.items() if axis is None]
    if missing:
        raise ConfigError(
            f"AlignView got neither a layout nor {', '.join(missing)}. Set layout to the "
            "name of a layout in msg3d.skeletons, or set center, zaxis, and xaxis.",
            kind="option",
            field=missing[0],
        )
    return partial(_align_view, layout=layout, **axes, length=length)


def _align_view(
    sample: Sample,
    layout: Layout | None,
    center: Place,
    zaxis: Sequence[Place],
    xaxis: Sequence[Place],
    length: int | None,
) -> Sample:
    try:
        check_length(sample)
        if layout is not None:
            check_joints(sample["keypoint"], layout)
        keypoint, score = align.align_view(
            sample["keypoint"],
            center,
            zaxis,
            xaxis,
            length,
            sample.get("keypoint_score"),
        )
    except DataError as error:
        raise error.at(sample=sample.get("frame_dir")) from None
    sample.update(keypoint=keypoint, total_frames=keypoint.shape[1])
    return _with_score(sample, score)


def pre_normalize_2d(img_shape: Sequence[float] = (1080, 1920)) -> Step:
    return partial(_pre_normalize_2d, **locals())


def _pre_normalize_2d(sample: Sample, img_shape: Sequence[float]) -> Sample:
    img_shape = sample.get("img_shape", img_shape)
    sample["keypoint"] = normalize.pre_normalize_2d(sample["keypoint"], img_shape)
    return sample


def center_pose_2d(
    half: float = 1.0, y_up: bool = False, img_shape: Sequence[float] = (1080, 1920)
) -> Step:
    return partial(_center_pose_2d, **locals())


def _center_pose_2d(
    sample: Sample, half: float, y_up: bool, img_shape: Sequence[float]
) -> Sample:
    img_shape = sample.get("img_shape", img_shape)
    sample["keypoint"] = normalize.center_2d(sample["keypoint"], img_shape, half, y_up)
    return sample


def scale_to_unit() -> Step:
    return partial(_scale_to_unit)


def _scale_to_unit(sample: Sample) -> Sample:
    sample["keypoint"] = normalize.scale_to_unit(sample["keypoint"])
    return sample


def select_persons(num_person: int = 2, by: str = "energy") -> Step:
    if num_person < 1:
        raise ConfigError(
            f"SelectPersons got num_person={num_person}, expected at least 1",
            kind="option",
            field="num_person",
        )
    _check_choice("SelectPersons", "by", by, sorted(persons.RULES))
    return partial(_select_persons, num_person=num_person, by=by)


def _select_persons(sample: Sample, num_person: int, by: str) -> Sample:
    sample["keypoint"], score = persons.select_persons(
        sample["keypoint"], num_person, by, sample.get("keypoint_score")
    )
    return _with_score(sample, score)


def convert_layout(source: Layout, target: Layout, missing: str = "error") -> Step:
    sources = joint_sources(source, target, missing)
    return partial(_convert_layout, source=source, sources=sources)


def _convert_layout(
    sample: Sample, source: Layout, sources: list[tuple[int, ...]]
) -> Sample:
    sample["keypoint"] = gather_joints(sample["keypoint"], sources, source)
    if "keypoint_score" in sample:
        score = sample["keypoint_score"][..., None]
        sample["keypoint_score"] = gather_joints(score, sources, source)[..., 0]
    return sample


def skeleton_features(
    layout: Layout,
    feats: Sequence[str] | None = None,
    axis: int = -1,
    mask_absent: bool = False,
) -> Step:
    if feats is not None and (not feats or set(feats) - set(STREAMS)):
        raise ConfigError(
            f"SkeletonFeatures got feats={feats!r}, expected a list of streams from "
            f"{', '.join(map(repr, STREAMS))}",
            kind="option",
            field="feats",
        )
    parents = [parent for _, parent in skeleton(layout).bones]
    return partial(
        _skeleton_features,
        parents=parents,
        feats=feats,
        axis=axis,
        mask_absent=mask_absent,
    )


def _skeleton_features(
    sample: Sample,
    parents: Sequence[int],
    feats: Sequence[str] | None,
    axis: int,
    mask_absent: bool,
) -> Sample:
    sample["keypoint"] = streams.skeleton_streams(
        sample["keypoint"],
        parents,
        feats or [sample.get("stream", "j")],
        sample.pop("keypoint_score", None),
        axis,
        mask_absent,
    )
    return sample


def laban_effort(
    layout: Layout,
    efforts: Sequence[str] = laban.EFFORTS,
    coordinates: bool = True,
    variant: str = "published",
    time: str = "frame",
    fps: float = 1,
    center: Place | None = None,
) -> Step:
    _check_choice("LabanEffort", "variant", variant, ["published", "corrected"])
    _check_choice("LabanEffort", "time", time, ["frame", "joint"])
    duplicate = len(set(efforts)) < len(efforts) or not (efforts or coordinates)
    unknown = isinstance(efforts, str) or set(efforts) - set(laban.EFFORTS)
    for name, value, invalid, expected in (
        ("efforts", efforts, unknown, f"a list from {', '.join(laban.EFFORTS)}"),
        ("efforts", efforts, duplicate, "each Effort once, or coordinates=True"),
        ("fps", fps, not fps > 0, "a positive number of frames per second"),
    ):
        if invalid:
            raise ConfigError(
                f"LabanEffort got {name}={value!r}, expected {expected}",
                kind="option",
                field=name,
            )
    body = skeleton(layout)
    if center is None:
        # The mean of several joints is not the position of a joint.
        top = body.spine[1] if body.spine else ()
        center = top if len(top) == 1 else ()
    return partial(
        _laban_effort,
        layout=layout,
        parents=[parent for _, parent in body.bones],
        efforts=list(efforts),
        coordinates=coordinates,
        published=variant == "published",
        neighbors=time == "joint",
        fps=fps,
        centers=np.atleast_1d(np.asarray(center, dtype=int)),
    )


def _laban_effort(sample: Sample, layout: Layout, **options: Any) -> Sample:
    check_joints(sample["keypoint"], layout)
    sample["keypoint"] = laban.laban_effort(sample["keypoint"], **options)
    return sample


def uniform_sample_frames(
    clip_len: int, num_clips: int = 1, test_mode: bool = False, seed: int = 255
) -> Step:
    return partial(_uniform_sample_frames, **locals())


def _uniform_sample_frames(
    sample: Sample,
    clip_len: int,
    num_clips: int,
    test_mode: bool,
    seed: int,
    random: frames.RandomNumbers | None = None,
) -> Sample:
    check_length(sample)
    if random is None:
        random = np.random.RandomState(seed) if test_mode else np.random
    frame_inds = frames.uniform_sample(
        sample["total_frames"], clip_len, num_clips, test_mode, random
    )
    frame_inds = (frame_inds + sample.get("start_index", 0)).astype(np.int32)
    return _with_clips(sample, clip_len, num_clips, frame_inds=frame_inds)


def resample_frames(
    clip_len: int, num_clips: int = 1, crop: float = 0.5, test_mode: bool = False
) -> Step:
    if not 0 < crop <= 1:
        raise ConfigError(
            f"ResampleFrames got crop={crop}, expected a value above 0 and at most 1",
            kind="option",
            field="crop",
        )
    return partial(_resample_frames, **locals())


def _resample_frames(
    sample: Sample, clip_len: int, num_clips: int, crop: float, test_mode: bool
) -> Sample:
    lengths: Sequence[float] | np.ndarray
    positions: Sequence[float] | np.ndarray
    if not test_mode:
        lengths = np.random.uniform(crop, 1, num_clips)
        positions = np.random.uniform(0, 1, num_clips)
    elif num_clips == 1:
        lengths, positions = [1.0], [0.0]
    else:
        lengths = np.linspace((1 + crop) / 2, 1, num_clips)
        positions = np.linspace(0, 1, num_clips)
    crops = list(zip(lengths, positions, strict=True))
    times = frames.crop_times(sample["keypoint"].shape[1], clip_len, crops)
    sample["keypoint"], score = frames.interpolate(
        sample["keypoint"], times, sample.get("keypoint_score")
    )
    sample = _with_clips(sample, clip_len, num_clips, total_frames=len(times))
    return _with_score(sample, score)


def pad_to(length: int, mode: str = "loop") -> Step:
    _check_choice("PadTo", "mode", mode, ["loop", "zero"])
    return partial(_pad_to, length=length, mode=mode)


def _pad_to(sample: Sample, length: int, mode: str) -> Sample:
    check_length(sample)
    start = sample.get("start_index", 0)
    keypoint = frames.pad_to(sample["keypoint"], length, mode, start)
    sample.update(keypoint=keypoint, total_frames=length)
    return sample


def pose_decode() -> Step:
    return partial(_pose_decode)


def _pose_decode(sample: Sample) -> Sample:
    total = sample.setdefault("total_frames", sample["keypoint"].shape[1])
    indices = sample.setdefault("frame_inds", np.arange(total))
    indices = indices + sample.get("offset", 0)
    for key in {"keypoint", "keypoint_score"} & set(sample):
        sample[key] = sample[key][:, indices].astype(np.float32)
    return sample


def format_gcn_input(num_person: int = 2, mode: str = "zero") -> Step:
    _check_choice("FormatGCNInput", "mode", mode, ["zero", "loop"])
    return partial(_format_gcn_input, num_person=num_person, mode=mode)


def _format_gcn_input(sample: Sample, num_person: int, mode: str) -> Sample:
    sample["keypoint"] = persons.format_gcn_input(
        sample["keypoint"],
        num_person,
        mode,
        sample.get("keypoint_score"),
        sample.get("num_clips", 1),
    )
    return sample


# Name of the registered transform -> function that returns the step. Contains the steps of
# test pipelines only.
STEPS: dict[str, Callable[..., Step]] = {
    "AlignSkeleton3D": align_skeleton_3d,
    "AlignView": align_view,
    "CenterPose2D": center_pose_2d,
    "ConvertLayout": convert_layout,
    "FastPreNormalize3D": pre_normalize_3d,
    "FastUniformSampleFrames": uniform_sample_frames,
    "FormatGCNInput": format_gcn_input,
    "LabanEffort": laban_effort,
    "PadTo": pad_to,
    "PoseDecode": pose_decode,
    "PreNormalize2D": pre_normalize_2d,
    "ResampleFrames": resample_frames,
    "ScaleToUnit": scale_to_unit,
    "SelectPersons": select_persons,
    "SkeletonFeatures": skeleton_features,
    "UniformSampleFrames": uniform_sample_frames,
}


def check_length(sample: Sample) -> None:
    """Check that `total_frames` of a sample is the number of frames in `keypoint`.

    Raises:
        DataError: the numbers differ (kind `total-frames`).
    """
    if not {"keypoint", "total_frames"} <= set(sample):
        return
    expected, actual = sample["total_frames"], sample["keypoint"].shape[1]
    if expected != actual:
        raise DataError(
            f"'total_frames' is {expected}, but 'keypoint' has {actual} frames. Set "
            "'total_frames' to the number of frames.",
            kind="total-frames",
            field="total_frames",
            sample=sample.get("frame_dir"),
        )


def _check_choice(step: str, field: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise ConfigError(
            f"{step} got {field}={value!r}, expected one of "
            f"{', '.join(map(repr, allowed))}",
            kind="option",
            field=field,
        )


def _with_score(sample: Sample, score: np.ndarray | None) -> Sample:
    if score is not None:
        sample["keypoint_score"] = score
    return sample


def _with_clips(
    sample: Sample, clip_len: int, num_clips: int, **entries: Any
) -> Sample:
    sample.update(entries, clip_len=clip_len, num_clips=num_clips, frame_interval=None)
    return sample
