"""NTU RGB+D's `.skeleton` files read line by line, what the parser is compared with.

The form of the readers that MS-G3D and CTR-GCN bring: a dictionary a joint, a `float` a
number, then an array filled joint by joint.
"""

from typing import IO

import numpy as np

BODY = (
    "bodyID clipedEdges handLeftConfidence handLeftState handRightConfidence "
    "handRightState isRestricted leanX leanY trackingState"
).split()
JOINT = (
    "x y z depthX depthY colorX colorY orientationW orientationX orientationY "
    "orientationZ trackingState"
).split()


def read_plainly(file: IO[str]) -> tuple[np.ndarray, list[list[int]]]:
    """x, y and z of every body of every frame.

    Args:
        file: opened as text.

    Returns:
        float64 [M, T, 25, 3], body m the one that stands at place m of each frame; and
        the tracking ids of each frame.
    """
    sequence = []
    for _ in range(int(file.readline())):
        bodies = []
        for _ in range(int(file.readline())):
            fields = file.readline().split()
            body = {name: float(text) for name, text in zip(BODY, fields)}
            body["id"] = int(fields[0])
            body["joints"] = []
            for _ in range(int(file.readline())):
                fields = file.readline().split()
                joint = {name: float(text) for name, text in zip(JOINT, fields)}
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
