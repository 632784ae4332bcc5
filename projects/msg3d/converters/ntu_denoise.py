"""Bodies that are none: chairs, reflections and passers-by in NTU RGB+D.

The rules of the data preparation that CTR-GCN and PYSKL use; the thresholds are
theirs. MS-G3D did without.
"""

import numpy as np

FEW_FRAMES = 11
WIDTH_OF_HEIGHT = 0.8
SHARE_OF_WIDE_FRAMES = 0.69754
TOO_SHORT = f"bodies left out as noise: seen in {FEW_FRAMES} frames or fewer"
TOO_WIDE = "bodies left out as noise: too wide for their height in most frames"


def denoise(keypoint: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """The bodies that pass for persons, the one that moves most first.

    Where there are several,

    1. a body seen in 11 frames or fewer is left out, unless all are;
    2. a frame is wide if the joints' range in x is above 0.8 of that in y; a body is
       left out if 0.69754 or more of its frames are wide, unless it is the last;
    3. those that stay are sorted by motion: the variance of x, y and z over all joints
       and frames, added up; with the wide frames or without, whichever is less.

    Args:
        keypoint: [B, T, V, 3], in the order of the file, zero where a body is not seen.

    Returns:
        [B', T, V, 3], and how many bodies were left out for what.
    """
    if len(keypoint) < 2:
        return keypoint, {}
    seen = [body[body.any(axis=(1, 2))].astype(np.float64) for body in keypoint]
    bodies = [one for one, frames in enumerate(seen) if len(frames) > FEW_FRAMES]
    if not bodies:
        bodies = list(range(len(seen)))
    short = len(seen) - len(bodies)

    motion = {one: _motion(seen[one]) for one in bodies}
    if len(bodies) > 1:
        for one in list(bodies):
            wide = _is_wide(seen[one])
            if len(bodies) > 1 and wide.mean() >= SHARE_OF_WIDE_FRAMES:
                bodies.remove(one)
            elif wide.any() and not wide.all():
                motion[one] = min(motion[one], _motion(seen[one][~wide]))
    many = len(seen) - short - len(bodies)
    bodies.sort(key=motion.get, reverse=True)  # equals stay in the order of the file
    notes = {what: n for what, n in ((TOO_SHORT, short), (TOO_WIDE, many)) if n}
    return keypoint[bodies], notes


def _motion(frames: np.ndarray) -> float:
    return float(frames.reshape(-1, 3).var(axis=0).sum())


def _is_wide(frames: np.ndarray) -> np.ndarray:
    width, height = np.ptp(frames[..., :2], axis=1).T
    return width > WIDTH_OF_HEIGHT * height
