"""Scenes of recorded sequences, with responses, saliency, and scores of a network."""

from collections.abc import Sequence

from ..errors import DataError
from ..skeletons import skeleton
from .scene import Scene, read_sample, sample_name, upright


def load_scenes(
    file: str,
    samples: Sequence[str | None] = (None,),
    layout: str | None = None,
    up: str | None = None,
    fps: float = 30,
    model: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    size: str | None = None,
    windows: tuple[int, int] | None = None,
) -> list[Scene]:
    """Return the scenes of samples of an annotation file or packed store.

    Args:
        file: path of the annotation file or store.
        samples: ids of the samples. None stands for the first sample of the file.
        layout: skeleton layout. None to detect it from the file.
        up: axis that points up in 3D, such as `-y`. None to detect it.
        fps: frames per second.
        model, checkpoint, device: arguments of `Recognizer`.
        size: quantity shown by the size of each joint, "response" (magnitude of the last
            features) or "saliency" (contribution to the predicted class). None for equal
            sizes.
        windows: length and stride, in frames, of the sliding windows for the scores. None
            to show no scores.

    Raises:
        DataError: see `read_sample`. Also if scores are requested, but the network is a
            regression model (kind `option`).
        ConfigError: see `Explainer`.
    """
    recordings = [read_sample(file, sample, layout) for sample in samples]
    if size:
        from .explainer import Explainer, sizes_of

        explainer = Explainer(model, checkpoint, device)
    if windows:
        from ..apis import Recognizer
        from .explainer import scores_over_time

        recognizer = Recognizer(model, checkpoint, device=device)
        if recognizer.targets:
            raise DataError(
                "the network is a regression model, expected a classifier with class "
                "scores. Omit --scores.",
                kind="option",
            )
    scenes = []
    for data, joints, meta in recordings:
        keypoint, sizes, scores = data["keypoint"], None, None
        title, label, names = sample_name(data), data.get("label"), meta.get("classes")
        if isinstance(label, int) and names and 0 <= label < len(names):
            title += f", {names[label]}"
        if size:
            clips = explainer.clips(data)
            keypoint = clips.sequence
            joints = skeleton(explainer.model.backbone.graph.layout)
            if size == "response":
                sizes = explainer.response(clips)
            else:
                saliency, predicted = explainer.saliency(clips)
                sizes = sizes_of(saliency)
                title += f"; predicted: {explainer.classes[predicted]}"
        if windows:
            scores = scores_over_time(recognizer, data, *windows)
            scores = scores.among(data["keypoint"], keypoint.shape[1])
        points = upright(keypoint, joints, up)
        scenes.append(Scene(title, joints, points, sizes, scores, fps))
    return scenes
