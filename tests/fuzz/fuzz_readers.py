"""Every reader that a user's file reaches, with good files for it.

A reader is a name, the files that it takes (path within a folder -> content), and a
function that reads that folder. What is raised there must be of `EXPECTED`.
"""

import io
import json
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fuzz_mutations as m
import numpy as np
import torch
from fuzz_run import is_known_kind
from mmengine.runner.checkpoint import CheckpointLoader

from conftest import SHARED
from msg3d.annotations.inspection import as_json, as_text, inspect_annotations
from msg3d.annotations.targets import CHALLENGE_TRAITS
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import (
    Expected,
    to_sample,
)
from msg3d.checkpoints.reading import read_state
from msg3d.checkpoints.safe_tensors import write_safetensors
from msg3d.converters import (
    kinetics,
    msr_action3d,
    ntu,
    nw_ucla,
    sbu,
)
from msg3d.converters.kinetics_lists import class_names, read_label_lists
from msg3d.converters.labels import check_complete, read_list
from msg3d.converters.user_data import ESTIMATORS
from msg3d.converters.user_files import parse_file
from msg3d.datasets import (
    check_annotations,
    load_annotations,
)
from msg3d.errors import CheckpointError, DataError, SkipFile
from msg3d.evaluation import (
    labels_of,
    read_scores,
)
from msg3d.evaluation.score_npz import write_score_npz
from msg3d.formats.arrays import to_sequence
from msg3d.formats.base import ReadOptions
from msg3d.formats.csv_table import read_csv
from msg3d.formats.npy import read_npy
from msg3d.io.archives import list_files, read_files
from msg3d.skeletons import skeleton
from msg3d.stores.packing import pack
from msg3d.stores.store import load_store
from samples import annotations

# Errors that users see as one sentence.
EXPECTED = (DataError, CheckpointError, SkipFile, OSError)
Files = dict[str, bytes]


@dataclass(frozen=True)
class Reader:
    """What reads a folder of files.

    Attributes:
        seeds: good folders, of which one file is changed.
        read: takes the folder.
        mutations: (rng, content, another seed's content) -> content.
        keep: names of files that stay as they are.
    """

    seeds: Callable[[], list[Files]]
    read: Callable[[Path], object]
    mutations: tuple
    keep: tuple[str, ...] = ()


def _rng():
    return np.random.default_rng(0)


def _saved(save, name, *args) -> Files:
    """What `save(path)` writes into a folder."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder, name))
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }


# Annotations ---------------------------------------------------------------------


def small(channels=3, **options):
    data = annotations(samples=4, frames=(3, 6), channels=channels, **options)
    return {**data, "meta": dict(classes=["a", "b", "c", "d"])}


def annotation_files(lists=True):
    both = [small(), small(2, joints=17)] + lists * [small()["annotations"]]
    return [
        {"a.pkl": pickle.dumps(data, protocol)}
        for data in both
        for protocol in (2, 4, 5)
    ]


def read_annotations(folder):
    path = str(folder / "a.pkl")
    check_annotations(load_annotations(path), source=path, multi_class=True)


def inspect_file(folder):
    path = str(folder / "a.pkl")
    seen = inspect_annotations(load_annotations(path))
    json.dumps(report := as_json(seen, path))
    as_text(report, seen, 3)


def stores():
    return [
        _saved(lambda path: pack(data, str(path)), "s.packed")
        for data in (small(), small(2, joints=17), small()["annotations"])
    ]


def read_store(folder):
    store = load_store(str(folder / "s.packed"))
    for split in store.splits or [None]:
        numbers = store.split(split)
        if len(numbers):
            store.summary(numbers)
    store.unpack()


# Scores --------------------------------------------------------------------------


def score_files():
    values, names = (
        _rng().random((6, 3)).astype(np.float32),
        [f"s{i}" for i in range(6)],
    )
    dump = [
        dict(pred_score=row, gt_label=np.array([i % 3]), frame_dir=name)
        for i, (row, name) in enumerate(zip(values, names))
    ]
    tensors = [
        dict(one, pred_score=torch.tensor(row), gt_label=torch.tensor([1]))
        for one, row in zip(dump, values)
    ]
    forms = (dump, tensors, list(values), dict(zip(names, values)))
    return [{"s.pkl": pickle.dumps(form, 2 + i % 4)} for i, form in enumerate(forms)]


def score_archives():
    values, names = _rng().random((6, 3)), [f"s{i}" for i in range(6)]
    return [
        _saved(lambda p: write_score_npz(p, names, values, np.arange(6) % 3), "s.npz")
    ]


def read_labels(folder):
    labels_of(str(folder / "a.pkl"), "train")


# Checkpoints ---------------------------------------------------------------------


def _weights():
    torch.manual_seed(0)
    linear = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    return linear.state_dict()


def checkpoints(legacy=False):
    file = io.BytesIO()
    data = dict(
        state_dict=_weights(), meta=dict(epoch=1, dataset_meta=dict(classes=["a"]))
    )
    torch.save(data, file, _use_new_zipfile_serialization=not legacy)
    return [{"c.pth": file.getvalue()}]


def safetensors_files():
    meta = dict(dataset_meta=dict(classes=["a", "b"]), shape=(1, 2))
    return [
        _saved(lambda path: write_safetensors(_weights(), meta, path), "c.safetensors")
    ]


def read_checkpoint(folder, name="c.pth"):
    """As `mim test` and as tools/convert_checkpoint.py."""
    path = str(folder / name)
    try:
        CheckpointLoader.load_checkpoint(path, "cpu", "silent")
    except CheckpointError as error:
        assert "\n" not in str(error) and path in str(error)
        assert is_known_kind(error)
    read_state(path)


# Data sets -----------------------------------------------------------------------


def skeleton_files():
    def text(frames, bodies=1):
        lines = [str(frames)]
        for frame in range(frames):
            lines.append(str(bodies))
            for body in range(bodies):
                lines += [f"7205759403792{body} 0 1 1 1 1 0 0.01 0.2 2", "25"]
                lines += [
                    " ".join(f"{value:.6f}" for value in _rng().normal(size=11)) + " 2"
                    for _ in range(25)
                ]
        return "\r\n".join(lines).encode() + b"\r\n"

    name = "S001C001P001R001A001.skeleton"
    return [{name: text(3)}, {name: text(2, bodies=2)}]


def kinetics_files():
    rng = _rng()

    def person():
        pose, score = (
            rng.random(36).round(3).tolist(),
            rng.random(18).round(3).tolist(),
        )
        return dict(pose=pose, score=score)

    data = [dict(frame_index=i + 1, skeleton=[person(), person()]) for i in range(4)]
    clip = dict(data=data, label="abseiling", label_index=0)
    return [{"clip.json": json.dumps(clip).encode()}]


def real_files(folder, pattern):
    """The smallest two of the developers' files, which tests skip without."""
    import pytest

    found = sorted(
        (SHARED / "data" / folder).glob(pattern), key=lambda p: p.stat().st_size
    )
    if not found:
        pytest.skip("needs the developers' reference data in ../shared")
    return [{one.name: one.read_bytes()} for one in found[:2]]


def label_lists():
    entry = dict(has_skeleton=True, label="abseiling", label_index=0)
    other = dict(has_skeleton=False, label="zumba", label_index=1)
    return [{"kinetics_val_label.json": json.dumps(dict(a=entry, b=other)).encode()}]


def read_lists(folder):
    class_names(read_label_lists(dict(val=str(folder / "kinetics_val_label.json"))))


def ucla_files():
    name = "a01_s02_e03_v01"
    skeletons = _rng().normal(size=(3, 20, 3)).round(3).tolist()
    record = dict(file_name=name, skeletons=skeletons, label=1)
    return [{f"{name}.json": json.dumps(record).encode()}]


def _lines(rows, separator=" "):
    return "\n".join(separator.join(f"{one:g}" for one in row) for row in rows).encode()


def msr_files():
    return [{"a01_s02_e03_skeleton3D.txt": _lines(_rng().normal(size=(60, 4)))}]


def sbu_files():
    rows = np.hstack([np.arange(4)[:, None] + 1, _rng().random((4, 90))])
    return [{"s01s02/01/001/skeleton_pos.txt": _lines(rows, ",")}]


def coco_files():
    """The same two persons in four frames, as each estimator writes them."""
    poses = (300 * _rng().random((4, 2, 17, 2)) + [[[0, 0]], [[300, 0]]]).round(1)

    def flat(pose):
        return np.hstack([pose, np.full((17, 1), 0.9)]).ravel().tolist()

    def mmpose(frame):
        people = [
            dict(keypoints=pose.tolist(), keypoint_scores=[0.9] * 17, track_id=person)
            for person, pose in enumerate(poses[frame])
        ]
        return dict(frame_id=frame + 1, instances=people)

    every = [(frame, person) for frame in range(4) for person in range(2)]
    alphapose = [
        dict(
            image_id=f"{i}.jpg", category_id=1, keypoints=flat(poses[i, j]), idx=j + 1.0
        )
        for i, j in every
    ]
    coco = dict(
        images=[
            dict(id=70 + i, file_name=f"v/{i:06d}.jpg", height=480, width=640)
            for i in range(4)
        ],
        annotations=[
            dict(id=i, image_id=70 + i, keypoints=flat(poses[i, j])) for i, j in every
        ],
        categories=[dict(id=1, keypoints=list(skeleton("coco").joints))],
    )
    yolo = [
        [
            dict(
                name="person",
                keypoints=dict(x=pose[:, 0].tolist(), y=pose[:, 1].tolist()),
            )
            for pose in frame
        ]
        for frame in poses
    ]
    mmpose = dict(meta_info={}, instance_info=[mmpose(frame) for frame in range(4)])
    return [
        {"v.json": json.dumps(data).encode()}
        for data in (mmpose, mmpose["instance_info"], alphapose, coco, yolo)
    ]


def mediapipe_files(world=False):
    rng = _rng()

    def person():
        rows = rng.random((33, 4)).round(3)
        rows[23:25, :3] *= not world  # where the world's coordinates begin
        rows = rows.tolist()
        return [dict(zip(("x", "y", "z", "visibility"), row)) for row in rows]

    one = [person() for _ in range(3)]
    many = [[person(), person()] for _ in range(3)]
    frames = [dict(pose_landmarks=two, pose_world_landmarks=two) for two in many]
    # World landmarks alone do not tell two persons apart.
    forms = (one, dict(frames=frames)) if world else (one, many, dict(frames=frames))
    return [{"v.json": json.dumps(data).encode()} for data in forms]


def mediapipe_tables():
    header = ",".join(f"{axis}{joint}" for joint in range(33) for axis in "xyzv")
    rows = _lines(_rng().random((3, 132)), ",").decode().split("\n")
    counted = "\n".join(
        [f"frame,{header}", *(f"{2 * i},{row}" for i, row in enumerate(rows))]
    )
    return [
        {"v.csv": "\n".join([header, *rows]).encode()},
        {"v.csv": counted.encode()},
    ]


JOINTS = skeleton("kinect20").joints


def npy_files():
    shapes = ((3, 20, 3), (2, 3, 20, 3))
    return [
        _saved(lambda p: np.save(p, _rng().normal(size=shape).astype(kind)), "a.npy")
        for shape in shapes
        for kind in ("f4", "f8")
    ]


def csv_files():
    names = [f"{joint}_{axis}" for joint in JOINTS for axis in "xyz"]
    numbers = [f"{axis}{joint}" for joint in range(20) for axis in "xyz"]
    rows = _lines(_rng().normal(size=(3, 60)), ",").decode().split("\n")
    several = [
        f"{frame},{person},{rows[frame]}" for frame in range(3) for person in "ab"
    ]
    return [
        {"a.csv": "\n".join([",".join(names), *rows]).encode()},
        {"a.csv": "\n".join([",".join(numbers), *rows]).encode()},
        {"a.csv": "\n".join(["frame,person," + ",".join(names), *several]).encode()},
    ]


def read_sequence(folder):
    for path in folder.iterdir():
        content = path.read_bytes()
        if path.suffix == ".npy":
            to_sequence(read_npy(content, 20, 3), "a", JOINTS, "m")
        else:
            to_sequence(read_csv(content, JOINTS, 3), "a", JOINTS, "m")


def tables():
    labels = (
        "file,label,split,height,width\na.json,wave,train,480,640\nb,sit,val,480,640"
    )
    return [
        {"labels.csv": labels.encode(), "split.csv": b"name,split\na,train\nb,val\n"}
    ]


def read_tables(folder):
    try:
        read_list(str(folder / "labels.csv"), (".json",))
    except DataError as error:
        assert "\n" not in str(error)
    path = str(folder / "split.csv")
    check_complete(read_list(path, (".npy",)), {"a", "b"}, path)


def udiva_files():
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for frame, landmarks in enumerate(_rng().normal(size=(3, 24, 3))):
            file.create_group(f"{frame:05d}/body")["landmarks"] = landmarks
    traits = ",".join(CHALLENGE_TRAITS)
    return [
        {
            "lego_annotations_train/001002/FC2_L/annotations_raw.hdf5": content.getvalue(),
            "sessions_train.csv": b"ID,DATE,PART.1,PART.2\n001002,x,1,2\n",
            "parts_train.csv": f"ID,AGE,{traits}\n1,9,1,2,3,4,5\n2,9,1,2,3,4,0.5".encode(),
        }
    ]


def read_udiva(folder):
    from msg3d.converters import udiva, udiva_tables

    found = udiva_tables.read_tables(str(folder))
    for path in folder.rglob("*.hdf5"):
        name = path.relative_to(folder).as_posix()
        udiva.parse_recording(name, path.read_bytes(), tables=found, chunk=2)


def archives():
    """A folder's files as a zip and as tars."""
    name, content = next(iter(ucla_files()[0].items()))
    found = []
    with io.BytesIO() as file:
        with m.zipfile.ZipFile(file, "w", m.zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"all/{name}", content)
            archive.writestr("all/readme.txt", "text")
        found.append({"raw.zip": file.getvalue()})
    for mode in ("w:xz", "w:gz", "w:"):
        with io.BytesIO() as file:
            with tarfile.open(fileobj=file, mode=mode) as archive:
                member = tarfile.TarInfo(f"all/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            found.append({"raw.tar": file.getvalue()})
    return found


def read_archive(folder):
    (path,) = folder.iterdir()
    for _, content in read_files(str(path), ".json"):
        assert content is None or len(content) <= 64 * 2**20
    list_files(str(folder), ".json")


def _parsed(parse, **options):
    """The parser of a converter on the only file of a folder."""

    def read(folder):
        (path,) = (one for one in folder.rglob("*") if one.is_file())
        parse(path.relative_to(folder).as_posix(), path.read_bytes(), **options)

    return read


# Predict -------------------------------------------------------------------------


def sequence_files(flat=True):
    pose = (400 * _rng().random((1, 3, 17, 2))).round(1).tolist()
    plain = dict(keypoint=pose, img_shape=[480, 640])
    openpose = dict(people=[dict(pose_keypoints_2d=(90 * _rng().random(75)).tolist())])
    frames = {
        f"v_{i:012d}_keypoints.json": json.dumps(openpose).encode() for i in range(3)
    }
    return [
        {"a.json": json.dumps(plain).encode()},
        {"a.json": json.dumps(plain["keypoint"]).encode()},
        frames,
        *coco_files(),
        *(flat * (mediapipe_files() + mediapipe_tables() + kinetics_files())),
    ]


def pickled_sequences():
    return [{"a.pkl": pickle.dumps(small(2, joints=17), 4)}]


def array_sequences():
    array = 400 * _rng().random((1, 3, 17, 3)).astype(np.float32)
    return [_saved(lambda path: np.save(path, array), "a.npy")]


def predict(folder, dimensions=2):
    expected = Expected("coco", dimensions, None, 2)
    options = ReadOptions(img_shape=(480, 640))
    for source in list_sources(str(folder), str(folder / "nowhere")):
        for one in read_sequences(source, expected, options):
            to_sample(one, expected)


def store_sequences():
    return [_saved(lambda path: pack(small(2, joints=17), str(path)), "s.packed")]


ZIPPED = tuple(m.zip_member(one) for one in m.BYTES)
NPZ = (*m.BYTES, m.zip_directory, *ZIPPED, *3 * (m.zip_member(m.npy_header),))
PTH = (
    *(m.flip, m.cut, m.size, m.splice, m.zip_directory),
    *ZIPPED,
    *2 * (m.zip_member(m.pickle_opcode), m.zip_member(m.pickle_shape)),
)
STORE = (*m.BYTES, m.number, m.json_value, m.json_value, m.npy_header, m.npy_header)
NPY = (*m.BYTES, m.npy_header, m.npy_header, m.npy_header)

IMAGE = ReadOptions(dimensions=2, formats=("mediapipe",))
WORLD = ReadOptions(dimensions=3, formats=("mediapipe",))

READERS = dict(
    annotations=Reader(annotation_files, read_annotations, m.PICKLE),
    inspection=Reader(annotation_files, inspect_file, m.PICKLE),
    store=Reader(stores, read_store, STORE),
    scores=Reader(score_files, lambda f: read_scores(f / "s.pkl"), m.PICKLE),
    score_npz=Reader(score_archives, lambda f: read_scores(f / "s.npz"), NPZ),
    labels=Reader(partial(annotation_files, False), read_labels, m.PICKLE),
    checkpoint=Reader(checkpoints, read_checkpoint, PTH),
    legacy_checkpoint=Reader(
        partial(checkpoints, True), read_checkpoint, (*m.BYTES, m.size, m.size)
    ),
    safetensors=Reader(
        safetensors_files,
        partial(read_checkpoint, name="c.safetensors"),
        (*m.BYTES, *3 * (m.safetensors_header,)),
    ),
    ntu=Reader(
        skeleton_files,
        _parsed(ntu.parse_sequence, benchmark="ntu60"),
        (*m.TEXT, m.number, m.number),
    ),
    ntu_real=Reader(
        partial(real_files, "ntu_raw", "*.skeleton"),
        _parsed(ntu.parse_sequence, benchmark="ntu120"),
        (*m.TEXT, m.number, m.number),
    ),
    kinetics_real=Reader(
        partial(real_files, "kinetics_raw", "__*.json"),
        _parsed(kinetics.parse_clip),
        m.JSON,
    ),
    ntu_denoised=Reader(
        skeleton_files,
        _parsed(ntu.parse_sequence, benchmark="ntu60", denoise=True),
        (*m.TEXT, m.number, m.number),
    ),
    kinetics=Reader(kinetics_files, _parsed(kinetics.parse_clip), m.JSON),
    kinetics_tracks=Reader(
        kinetics_files, _parsed(kinetics.parse_clip, persons="track"), m.JSON
    ),
    label_lists=Reader(label_lists, read_lists, m.JSON),
    nw_ucla=Reader(ucla_files, _parsed(nw_ucla.parse_sequence), m.JSON),
    msr=Reader(msr_files, _parsed(msr_action3d.parse_sequence), m.TEXT),
    sbu=Reader(sbu_files, _parsed(sbu.parse_sequence, units="metres"), m.TEXT),
    coco=Reader(
        coco_files, _parsed(parse_file, options=ReadOptions(formats=ESTIMATORS)), m.JSON
    ),
    mediapipe=Reader(mediapipe_files, _parsed(parse_file, options=IMAGE), m.JSON),
    mediapipe_world=Reader(
        partial(mediapipe_files, True), _parsed(parse_file, options=WORLD), m.JSON
    ),
    mediapipe_csv=Reader(mediapipe_tables, _parsed(parse_file, options=IMAGE), m.TEXT),
    npy=Reader(npy_files, read_sequence, NPY),
    csv=Reader(csv_files, read_sequence, m.TEXT),
    tables=Reader(tables, read_tables, m.TEXT),
    udiva=Reader(udiva_files, read_udiva, (*m.TEXT, m.size, m.size)),
    archives=Reader(
        archives, read_archive, (*m.BYTES, m.zip_directory, m.zip_directory)
    ),
    predict=Reader(sequence_files, predict, m.JSON),
    predict_any=Reader(
        partial(sequence_files, False), partial(predict, dimensions=None), m.JSON
    ),
    predict_pkl=Reader(pickled_sequences, predict, m.PICKLE),
    predict_npy=Reader(array_sequences, predict, NPY),
    predict_store=Reader(store_sequences, predict, STORE),
)
