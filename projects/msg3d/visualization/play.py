"""Scenes of recorded sequences, with what a network responds to and predicts."""

from ..errors import DataError
from ..skeletons import skeleton
from .scene import Scene, read_sample, sample_name, upright


def scene_of(
    file: str,
    sample: str | None = None,
    layout: str | None = None,
    up: str | None = None,
    fps: float = 30,
    model: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    size: str | None = None,
    windows: tuple[int, int] | None = None,
) -> Scene:
    """Return the scene of a sample of an annotation file or store.

    Args:
        file: its path.
        sample: its id; None for the first.
        layout: skeleton layout; None for that of the file.
        up: axis of 3D that points up; None to detect it.
        fps: frames per second.
        model, checkpoint, device: a network, as `Recognizer` takes it.
        size: what the size of a joint shows: None, "response" (magnitude of the last
            features) or "saliency" (contribution to the predicted class).
        windows: length and stride of the windows whose scores are shown.
    """
    data, joints, meta = read_sample(file, sample, layout)
    keypoint, sizes, scores = data["keypoint"], None, None
    title, label, names = sample_name(data), data.get("label"), meta.get("classes")
    if isinstance(label, int) and names and 0 <= label < len(names):
        title += f", {names[label]}"
    if size:
        from .explainer import Explainer, sizes_of

        explainer = Explainer(model, checkpoint, device)
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
        from ..apis import Recognizer
        from .explainer import scores_over_time

        recognizer = Recognizer(model, checkpoint, device=device)
        if recognizer.targets:
            raise DataError(
                "the network regresses targets and has no scores. Leave out --scores.",
                kind="option",
            )
        scores = scores_over_time(recognizer, data, *windows)
        scores = scores.among(data["keypoint"], keypoint.shape[1])
    return Scene(title, joints, upright(keypoint, joints, up), sizes, scores, fps)
