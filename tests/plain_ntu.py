"""Generator and reference reader of NTU RGB+D's `.skeleton` files.

Like the readers of MS-G3D and CTR-GCN, the reference reader creates a dictionary per
joint and then fills an array joint by joint. Tests compare the parser with it.
"""

import io
from typing import IO

import numpy as np

JOINTS, FIRST_ID = 25, 72057594037931101
BODY = [
    "bodyID",
    "clipedEdges",
    "handLeftConfidence",
    "handLeftState",
    "handRightConfidence",
    "handRightState",
    "isRestricted",
    "leanX",
    "leanY",
    "trackingState",
]
JOINT = [
    "x",
    "y",
    "z",
    "depthX",
    "depthY",
    "colorX",
    "colorY",
    "orientationW",
    "orientationX",
    "orientationY",
    "orientationZ",
    "trackingState",
]


def skeleton_text(frames: int, bodies: int, seed: int, joints: int = JOINTS) -> bytes:
    """Return a `.skeleton` file with random walks.

    Numbers have 7 significant digits and possibly an exponent (4e-05), as in the files of
    the Kinect software.
    """
    rng = np.random.default_rng(seed)
    pose = rng.normal(scale=0.5, size=(bodies, 1, joints, 11))
    pose[..., 2] += 3.5  # meters from the camera
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


def read_plainly(file: IO[str]) -> tuple[np.ndarray, list[list[int]]]:
    """Read a file like the readers of MS-G3D and CTR-GCN.

    Returns:
        float64 [M, T, 25, 3], where person m is the m-th body of each frame; and the
        tracking ids of each frame.
    """
    sequence = []
    for _ in range(int(file.readline())):
        bodies = []
        for _ in range(int(file.readline())):
            fields = file.readline().split()
            body = {name: float(text) for name, text in zip(BODY, fields, strict=True)}
            body["id"] = int(fields[0])
            body["joints"] = []
            for _ in range(int(file.readline())):
                fields = file.readline().split()
                joint = {
                    name: float(text) for name, text in zip(JOINT, fields, strict=True)
                }
                body["joints"].append(joint)
            bodies.append(body)
        sequence.append(bodies)
    most = max((len(bodies) for bodies in sequence), default=0)
    array = np.zeros((most, len(sequence), 25, 3))
    for t, bodies in enumerate(sequence):
        for m, body in enumerate(bodies):
            for v, joint in enumerate(body["joints"]):
                array[m, t, v] = [joint["x"], joint["y"], joint["z"]]
    return array, [[body["id"] for body in bodies] for bodies in sequence]
