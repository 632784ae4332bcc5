"""Several annotation files are used as one training set."""

import copy

import numpy as np
import pytest
from mmengine.registry import DATA_SAMPLERS, init_default_scope

import tiny_runs
from errors import raises
from msg3d.annotations.files import save_annotations
from msg3d.datasets import CombinedSkeletonDataset, SkeletonDataset, pack
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons.convert import convert_layout
from samples import annotations, assert_same

KINECT = "kinect20"


def of(prefix, seed, classes=("wave", "clap", "walk", "sit"), **kwargs):
    """Generate annotations with their own ids, content, and class names."""
    data = annotations(seed=seed, **kwargs)
    for sample in data["annotations"]:
        sample["frame_dir"] = prefix + sample["frame_dir"]
    data["split"] = {
        name: [prefix + sample for sample in ids] for name, ids in data["split"].items()
    }
    if classes:
        data["meta"] = {"classes": list(classes)}
    return data


def saved(folder, name, data):
    if name.endswith(".packed"):
        pack(data, folder / name)
    else:
        save_annotations(data, folder / name)
    return {"ann_file": str(folder / name), "split": "train"}


def merged(first, second):
    """Merge annotations with the same classes."""
    split = {
        name: first["split"][name] + second["split"][name] for name in first["split"]
    }
    samples = [*first["annotations"], *second["annotations"]]
    return {"split": split, "annotations": samples, "meta": first["meta"]}


def combined(files, **options):
    init_default_scope("mmaction")
    return CombinedSkeletonDataset(
        files, pipeline=options.pop("pipeline", []), **options
    )


@pytest.mark.parametrize("suffix", ["pkl", "packed"])
def test_same_samples_as_the_merged_file(tmp_path, suffix):
    first, second = of("a", 1), of("b", 2, samples=15)
    files = [
        saved(tmp_path, f"a.{suffix}", first),
        saved(tmp_path, "b.pkl", second),
    ]
    reference = SkeletonDataset(
        **saved(tmp_path, "all.pkl", merged(first, second)), pipeline=[]
    )
    dataset = combined(files)
    assert len(dataset) == len(reference) == 18
    assert dataset.metainfo["classes"] == reference.metainfo["classes"]
    np.testing.assert_array_equal(dataset.labels, reference.labels)
    for number in range(len(reference)):
        actual, expected = dataset[number], reference[number]
        # Positions in the files
        del actual["sample_idx"], expected["sample_idx"]
        assert_same(actual, expected)


def test_training_equals_training_on_the_merged_file(tmp_path):
    first, second = of("a", 1, joints=5), of("b", 2, joints=5)
    files = [saved(tmp_path, "a.pkl", first), saved(tmp_path, "b.pkl", second)]
    both = merged(first, second)
    path = tiny_runs.prepare(tmp_path)
    save_annotations(both, tmp_path / "data.pkl")
    tiny_runs.train(path, tmp_path / "one")
    text = path.read_text(encoding="utf-8")
    before = f"type='SkeletonDataset', ann_file='{tmp_path}/data.pkl', split='train'"
    assert text.count(before) == 1
    path.write_text(
        text.replace(before, f"type='CombinedSkeletonDataset', files={files}"),
        encoding="utf-8",
    )
    tiny_runs.train(path, tmp_path / "two")
    assert tiny_runs.same(tmp_path / "one/epoch_4.pth", tmp_path / "two/epoch_4.pth")


def test_class_names_are_joined(tmp_path):
    files = [
        saved(tmp_path, "a.pkl", of("a", 1)),
        saved(tmp_path, "b.pkl", of("b", 2, ("sit", "jump", "wave", "stand"))),
    ]
    dataset = combined(files)
    classes = dataset.metainfo["classes"]
    assert classes == ["wave", "clap", "walk", "sit", "jump", "stand"]
    names = [classes[dataset[number]["label"]] for number in range(8, 16)]
    assert names == ["sit", "jump", "wave", "stand"] * 2


def test_label_map_renames_and_leaves_out(tmp_path):
    second = dict(
        saved(tmp_path, "b.packed", of("b", 2, ("Wave", "other", "nod", "sit")))
    )
    second["label_map"] = {"Wave": "wave", "other": None}
    third = dict(saved(tmp_path, "c.pkl", of("c", 3, classes=())))
    third["label_map"] = ["clap", None, None, "nod"]
    files = [saved(tmp_path, "a.pkl", of("a", 1)), second, third]
    dataset = combined(files)
    classes = dataset.metainfo["classes"]
    assert classes == ["wave", "clap", "walk", "sit", "nod"]
    labels = [classes[dataset[number]["label"]] for number in range(len(dataset))]
    assert labels[8:14] == ["wave", "nod", "sit"] * 2
    assert labels[14:] == ["clap", "nod"] * 2
    np.testing.assert_array_equal(dataset.labels, [classes.index(v) for v in labels])
    assert dataset.datasets[1].summary.max_label == 4


def test_list_of_classes_sets_the_order(tmp_path):
    file = saved(tmp_path, "a.pkl", of("a", 1))
    dataset = combined([file], classes=["sit", "walk", "clap", "wave", "nod"])
    assert dataset.labels[:4].tolist() == [3, 2, 1, 0]
    with raises("label", DataError, field="label_map"):
        combined([file], classes=["sit", "walk"])


def test_files_without_names(tmp_path):
    files = [
        saved(tmp_path, "a.pkl", of("a", 1, classes=())),
        saved(tmp_path, "b.pkl", of("b", 2, classes=())),
    ]
    dataset = combined(files)
    assert dataset.labels.tolist() == [0, 1, 2, 3] * 4
    assert "classes" not in dataset.metainfo
    named = saved(tmp_path, "c.pkl", of("c", 3))
    with raises("label", DataError, file="a.pkl"):
        combined([files[0], named])
    # The labels are positions in an explicit list.
    dataset = combined([files[0], named], classes=["sit", "walk", "clap", "wave"])
    assert dataset.labels[[0, 8]].tolist() == [0, 3]


def test_labels_of_subsets(tmp_path):
    init_default_scope("mmaction")
    file = dict(saved(tmp_path, "a.pkl", of("a", 1)), label_map={"wave": None})
    dataset = combined([file]).datasets[0]
    names = ["clap", "walk", "sit"]
    for subset in (dataset.get_subset([1, 3]), dataset.get_subset(2)):
        labels = [subset.get_data_info(n)["label"] for n in range(len(subset))]
        assert subset.labels.tolist() == labels
    dataset.get_subset_([4, 5])
    assert dataset.labels.tolist() == [names.index("walk"), names.index("sit")]
    assert dataset.get_data_info(0)["label"] == names.index("walk")


def test_labels_before_initialization(tmp_path):
    init_default_scope("mmaction")
    file = saved(tmp_path, "a.pkl", of("a", 1))
    lazy = SkeletonDataset(**file, pipeline=[], lazy_init=True)
    assert lazy.labels.tolist() == [0, 1, 2, 3] * 2
    assert combined([file], lazy_init=True).labels.tolist() == [0, 1, 2, 3] * 2


def test_layouts_are_converted(tmp_path):
    other = of("b", 2, joints=25)
    other["meta"]["layout"] = "nturgb+d"
    first = of("a", 1)
    first["meta"]["layout"] = KINECT
    files = [saved(tmp_path, "a.pkl", first), saved(tmp_path, "b.pkl", other)]
    dataset = combined(files, layout=KINECT)
    expected = convert_layout(other["annotations"][0]["keypoint"], "nturgb+d", KINECT)
    np.testing.assert_array_equal(dataset[8]["keypoint"], expected)
    assert_same(dataset[0], SkeletonDataset(**files[0], pipeline=[])[0])
    # The layout of the first file is the default.
    np.testing.assert_array_equal(combined(files)[8]["keypoint"], expected)


def test_layout_and_dimensions_must_fit(tmp_path):
    files = [
        dict(saved(tmp_path, "a.pkl", of("a", 1)), layout=KINECT),
        saved(tmp_path, "b.pkl", of("b", 2, joints=15)),  # of an unknown layout
        saved(tmp_path, "c.pkl", of("c", 3, channels=2)),
    ]
    with raises("layout", ConfigError, file="b.pkl"):
        combined(files[:2])
    with raises("shape", DataError, file="c.pkl"):
        combined(files[::2])


def test_missing_joints(tmp_path):
    other = of("b", 2, joints=15)
    other["meta"]["layout"] = "sbu15"
    files = [
        dict(saved(tmp_path, "a.pkl", of("a", 1)), layout=KINECT),
        saved(tmp_path, "b.pkl", other),
    ]
    with raises("layout", ConfigError):
        combined(files)[8]
    files[1]["missing"] = "zero"
    keypoint = combined(files)[8]["keypoint"]
    assert keypoint.shape[2] == 20
    assert (keypoint == 0).all(axis=(0, 1, 3)).any()


def leaking(tmp_path, frames=None):
    """Return two files; the second trains on test samples of the first."""
    first, second = of("a", 1), of("b", 2)
    tested = [
        s for s in first["annotations"] if s["frame_dir"] in first["split"]["val"]
    ]
    trained = second["annotations"][0]
    trained["keypoint"] = tested[1]["keypoint"][:, :frames].copy()
    trained["total_frames"] = trained["keypoint"].shape[1]
    return saved(tmp_path, "a.pkl", first), saved(tmp_path, "b.packed", second)


def test_test_samples_of_another_file_are_rejected(tmp_path):
    files = leaking(tmp_path)
    with raises("leak-identical", DataError, file="b.packed", sample="bsample000"):
        combined(files)
    with raises("leak-identical", DataError):
        combined(files[::-1])
    assert len(combined(files, check_leaks=False)) == 16
    assert len(combined(files, test_mode=True)) == 16


def test_most_frames_of_a_test_sample_are_rejected(tmp_path):
    with raises("leak-mostly", DataError, sample="bsample000"):
        combined(leaking(tmp_path, frames=-2))
    assert len(combined(leaking(tmp_path, frames=3))) == 16


def test_subset_of_a_file_is_compared_with_all_test_samples(tmp_path):
    first, second = leaking(tmp_path)
    with raises("leak-identical", DataError):
        combined([dict(first, indices=[0]), second])
    # More indices than test samples
    assert len(combined([dict(first, indices=[7]), second], check_leaks=False)) == 9


def test_two_splits_of_one_file_are_compared(tmp_path):
    data = of("a", 1)
    data["split"] |= {
        "x_train": data["split"]["val"],
        "x_val": data["split"]["train"][:2],
    }
    file = saved(tmp_path, "a.pkl", data)
    with raises("leak-identical", DataError):
        combined([file, dict(file, split="x_train")])


def test_samples_of_other_layouts_are_compared(tmp_path):
    first, second = of("a", 1), of("b", 2, joints=25)
    tested = second["annotations"][-1]["keypoint"]
    trained = first["annotations"][0]
    trained["keypoint"] = convert_layout(tested, "nturgb+d", KINECT)
    trained["total_frames"] = tested.shape[1]
    files = [
        dict(saved(tmp_path, "a.pkl", first), layout=KINECT),
        dict(saved(tmp_path, "b.pkl", second), layout="nturgb+d"),
    ]
    with raises("leak-identical", DataError, file="a.pkl"):
        combined(files)


@pytest.mark.parametrize(
    "change",
    [
        lambda files, options: files.clear(),
        lambda files, options: files[0].pop("ann_file"),
        lambda files, options: options.update(ann_file="a.pkl"),
        lambda files, options: options.update(multi_class=True),
        lambda files, options: files[0].update(multi_class=True),
        lambda files, options: files.append(files[0]),
        lambda files, options: options.update(classes=["wave", "wave"]),
        lambda files, options: options.update(classes="wave"),
    ],
)
def test_invalid_options(tmp_path, change):
    files, options = [saved(tmp_path, "a.pkl", of("a", 1))], {}
    change(files, options)
    with raises("option", ConfigError):
        combined(files, **options)


@pytest.mark.parametrize(
    "label_map",
    [
        {"unknown": "wave"},
        ["wave"],
        "abcd",
        {"wave": 3},
        {"wave": ""},
        dict.fromkeys(["wave", "clap", "walk", "sit"]),
    ],
)
def test_invalid_label_map(tmp_path, label_map):
    file = dict(saved(tmp_path, "a.pkl", of("a", 1)), label_map=label_map)
    with raises("label", DataError, file="a.pkl", field="label_map"):
        combined([file])


def test_dictionary_needs_class_names(tmp_path):
    file = saved(tmp_path, "a.pkl", of("a", 1, classes=()))
    with raises("label", DataError, field="label_map"):
        combined([dict(file, label_map={"wave": "clap"})])


def sampler(dataset, **options):
    options = {"type": "WeightedSampler", "seed": 5, **options}
    return DATA_SAMPLERS.build(options, default_args={"dataset": dataset})


def unbalanced(tmp_path):
    """Two files with 8 samples each, of which 5 and 2 have class 0."""
    files = []
    for name, count in (("a", 5), ("b", 2)):
        data = of(name, count)
        for number, sample in enumerate(data["annotations"]):
            sample["label"] = 0 if number < count else 1 + number % 3
        files.append(saved(tmp_path, f"{name}.pkl", data))
    return combined(files)


def frequencies(dataset, **options):
    """Return the share of each sample in many epochs."""
    drawn, made = [], sampler(dataset, **options)
    for epoch in range(500):
        made.set_epoch(epoch)
        drawn += list(made)
    return np.bincount(drawn, minlength=len(dataset)) / len(drawn)


def test_classes_are_balanced(tmp_path):
    dataset = unbalanced(tmp_path)
    share = frequencies(dataset)
    classes = np.bincount(dataset.labels, share)
    np.testing.assert_allclose(classes, 1 / 4, atol=0.015)
    # Within a class, all samples have the same share.
    np.testing.assert_allclose(share[dataset.labels == 0], 1 / 28, atol=0.006)


def test_files_are_weighted(tmp_path):
    dataset = unbalanced(tmp_path)
    share = frequencies(dataset, class_balanced=False, file_weights=[3, 1])
    np.testing.assert_allclose(share[:8], 3 / 32, atol=0.01)
    np.testing.assert_allclose(share[8:], 1 / 32, atol=0.01)
    share = frequencies(dataset, file_weights=[3, 1])
    classes = np.bincount(dataset.labels, share)
    np.testing.assert_allclose(classes, 1 / 4, atol=0.015)
    first = share[(dataset.labels == 0) & (np.arange(16) < 8)]
    np.testing.assert_allclose(first, 3 / 17 / 4, atol=0.006)


def test_order_depends_on_seed_and_epoch_only(tmp_path):
    dataset = unbalanced(tmp_path)
    orders = []
    for seed, epoch in ((5, 0), (5, 0), (5, 1), (9, 0)):
        made = sampler(dataset, seed=seed)
        made.set_epoch(epoch)
        orders.append(list(made))
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3] != orders[0]


def test_processes_share_the_draws(tmp_path):
    dataset = unbalanced(tmp_path)
    expected = list(sampler(dataset))
    parts = []
    for rank in range(2):
        made = sampler(dataset)
        made.rank, made.world_size = rank, 2
        parts.append(list(made))
    assert [index for pair in zip(*parts, strict=True) for index in pair] == expected


def test_repetitions_are_used(tmp_path):
    from mmengine.dataset import RepeatDataset

    init_default_scope("mmaction")
    file = saved(tmp_path, "a.pkl", of("a", 1))
    inner = {"type": "SkeletonDataset", "pipeline": [], **file}
    dataset = RepeatDataset(inner, times=50)
    drawn = list(sampler(dataset))
    assert len(drawn) == len(dataset) == 400
    assert len(set(drawn)) > 200


@pytest.mark.parametrize(
    "weights",
    [[1], [1, -1], [0, 0], [0, 1], [1, float("nan")], [1, float("inf")], 2.0, ["a", 1]],
)
def test_invalid_file_weights(tmp_path, weights):
    first = of("a", 1)
    first["annotations"] = copy.deepcopy(first["annotations"])
    files = [
        saved(tmp_path, "a.pkl", first),
        saved(tmp_path, "b.pkl", of("b", 2, ("sit", "jump", "wave", "stand"))),
    ]
    with raises("option", ConfigError, field="file_weights"):
        sampler(combined(files), file_weights=weights)
