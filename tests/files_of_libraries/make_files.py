"""Write the files of this folder with the libraries that define their formats."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch
from mediapipe.tasks.python.components.containers.landmark import (
    Landmark,
    NormalizedLandmark,
)
from mediapipe.tasks.python.vision.pose_landmarker import PoseLandmarkerResult
from pose_format import Pose
from pose_format.numpy import NumPyPoseBody
from pose_format.pose_header import (
    PoseHeader,
    PoseHeaderComponent,
    PoseHeaderDimensions,
)
from ultralytics.engine.results import Results

FRAMES, SIZE = 4, (480, 640)
out = Path(sys.argv[1])
rng = np.random.default_rng(0)


def ultralytics():
    names, image = {0: "person"}, np.zeros((*SIZE, 3), np.uint8)
    pose, texts = rng.uniform(100, 300, (2, 17, 2)), []
    for frame in range(FRAMES):
        pose = pose + rng.normal(0, 2, (2, 1, 2))
        visible = rng.uniform(0.5, 1, (2, 17, 1))
        box = [*pose.min(1).T, *pose.max(1).T, [3, 7], [0.9, 0.8], [0, 0]]
        results = Results(
            image,
            path=f"{frame}.jpg",
            names=names,
            boxes=torch.tensor(np.stack(box, 1), dtype=torch.float32),
            keypoints=torch.tensor(np.concatenate([pose, visible], -1)).float(),
        )
        texts.append(results.to_json())
        file = out / "yolo_text" / f"video_{frame + 1}.txt"
        file.unlink(missing_ok=True)
        results.save_txt(file, save_conf=True)
    (out / "ultralytics.json").write_text(json.dumps(texts))


def mediapipe():
    results = []
    for _ in range(FRAMES):
        image, world = rng.uniform(0.2, 0.8, (33, 3)), rng.normal(0, 0.3, (33, 3))
        world[23:25] = [[0.1, 0, 0], [-0.1, 0, 0]]
        results.append(
            PoseLandmarkerResult(
                [[NormalizedLandmark(*v, visibility=0.9, presence=0.9) for v in image]],
                [[Landmark(*v, visibility=0.9, presence=0.9) for v in world]],
                None,
            )
        )
    results.insert(2, PoseLandmarkerResult([], [], None))
    text = json.dumps([dataclasses.asdict(result) for result in results])
    (out / "mediapipe_tasks.json").write_text(text)


def pose_format():
    def component(name, points):
        names = [f"{name}_{number}" for number in range(points)]
        return PoseHeaderComponent(name, names, [(0, 1)], [(255, 0, 0)], "XYZC")

    parts = [component("LEFT_HAND_LANDMARKS", 21), component("POSE_LANDMARKS", 33)]
    header = PoseHeader(0.1, PoseHeaderDimensions(640, 480, 100), parts)
    data = rng.uniform(100, 300, (FRAMES, 1, 54, 3)).astype(np.float32)
    confidence = rng.uniform(0.5, 1, (FRAMES, 1, 54)).astype(np.float32)
    confidence[1, 0, 30] = 0
    pose = Pose(header, NumPyPoseBody(25, data, confidence))
    with (out / "mediapipe.pose").open("wb") as file:
        pose.write(file)


ultralytics()
mediapipe()
pose_format()
