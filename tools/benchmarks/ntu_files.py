"""`.skeleton` files shaped like NTU RGB+D's, of joints that walk at random."""

import io

import numpy as np

JOINTS = 25
FIRST_ID = 72057594037931101


def skeleton_text(frames: int, bodies: int, seed: int, joints: int = JOINTS) -> bytes:
    """A file in which every body is seen in every frame.

    Numbers have 7 significant digits, as Kinect's software writes them, and so 4e-05
    its exponent.

    Args:
        frames, bodies: how many, bodies a frame.
        seed: of all randomness.
    """
    rng = np.random.default_rng(seed)
    pose = rng.normal(scale=0.5, size=(bodies, 1, joints, 11))
    pose[..., 2] += 3.5  # metres from the camera
    pose[..., 3:7] = rng.uniform(100, 1500, size=(bodies, 1, joints, 4))  # pixels
    values = pose + rng.normal(scale=0.01, size=(bodies, frames, joints, 11))
    text = io.StringIO()
    text.write(f"{frames}\n")
    for frame in range(frames):
        text.write(f"{bodies}\n")
        for body in range(bodies):
            text.write(f"{FIRST_ID + body} 0 1 1 1 1 0 -0.08920905 -0.4797752 2\n")
            text.write(f"{joints}\n")
            for joint in values[body, frame].tolist():
                text.write("%.7g " * 11 % tuple(joint) + "2\n")
    return text.getvalue().encode()
