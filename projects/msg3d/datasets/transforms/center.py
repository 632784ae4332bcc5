"""2D poses around the middle of the image, with absent joints left absent."""

from typing import Dict

from mmaction.datasets.transforms import PreNormalize2D
from mmaction.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CenterPose2D(PreNormalize2D):
    """PreNormalize2D for poses with absent joints and persons.

    PreNormalize2D makes -1 of a coordinate that is zero, so that an absent joint, or
    a person in a frame without them, comes to lie in the upper left corner. Here
    joints that are exactly zero are absent, and stay so; all others are as there.

    The authors of ST-GCN train on Kinetics with x - 0.5 and y - 0.5, in parts of the
    image (`half=0.5`), those of 2s-AGCN and MS-G3D with y upwards as well
    (`half=0.5, y_up=True`).

    Args:
        half: what the right edge of the image becomes; the left one is -`half`.
        y_up: whether the upper edge becomes `half`, as in the frames of 3D joints,
            and not the lower one.
        **kwargs: of PreNormalize2D: `img_shape`, for samples without one.

    Required and modified key: `keypoint` [M, T, V, 2], float.
    Optional key: `img_shape`, (height, width) in the unit of `keypoint`; (1, 1) for
    parts of the image.
    """

    def __init__(self, half: float = 1.0, y_up: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.half, self.y_up = half, y_up

    def transform(self, results: Dict) -> Dict:
        present = results["keypoint"].any(axis=-1, keepdims=True)
        results = super().transform(results)
        keypoint = results["keypoint"]
        keypoint *= self.half * present
        if self.y_up:
            keypoint[..., 1] *= -1
        return results

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}(half={self.half}, y_up={self.y_up}, "
            f"img_shape={self.img_shape})"
        )
