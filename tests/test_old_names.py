"""Names of earlier versions can still be imported."""

from importlib import import_module
from pickle import UnpicklingError

import pytest

from msg3d import errors

NAMES = {
    "msg3d": "Recognizer Stream compat datasets engine evaluation models",
    "msg3d.apis": (
        "ConfigError ExportedFileError KeypointError Prediction Recognizer Stream"
    ),
    "msg3d.apis.pose_video": "read_video",
    "msg3d.apis.untrimmed": "Segment frame_scores segments smooth",
    "msg3d.checkpoints": (
        "CheckpointError convert_back convert_checkpoint is_published rewrite"
    ),
    "msg3d.datasets": (
        "AnnotationError PackedSkeletonDataset SkeletonDataset Store StoreWriter "
        "check_annotations load_annotations load_store pack save_annotations transforms"
    ),
    "msg3d.datasets.converters": (
        "convert_coco_json convert_folder convert_kinetics convert_mediapipe "
        "convert_msr_action3d convert_ntu convert_nw_ucla convert_sbu convert_udiva"
    ),
    "msg3d.datasets.inspection": "Inspection as_json as_text inspect_annotations",
    "msg3d.datasets.transforms": (
        "AlignSkeleton3D AlignView CenterPose2D ConvertLayout FastPreNormalize3D "
        "FastUniformSampleFrames JointDropout LabanEffort MirrorBody PackTargetInputs "
        "RandomMove2D RandomRotate3D RandomScale3D RandomWindow ResampleFrames "
        "ScaleToUnit SelectPersons SkeletonFeatures"
    ),
    "msg3d.engine": (
        "CheckDataHook FiniteLossHook FreezeParametersHook PreemptionHook "
        "ReuseMemoryHook StepSeedHook WholeCheckpointHook"
    ),
    "msg3d.evaluation": (
        "PersonTraitMetric ScoreError Scores aligned fuse labels_of read_scores "
        "search_weights"
    ),
    "msg3d.export": "export",
    "msg3d.models": (
        "AGCN LayoutAAGCN MSG3D MaskedGCNHead MaskedRecognizerGCN PartitionSTGCN "
        "ResTCN TraitHead TwoStreamSTGCN"
    ),
    "msg3d.skeletons": (
        "SKELETONS STREAMS Skeleton convert_layout graph_layout skeleton"
    ),
    "msg3d.visualization": (
        "Scene class_bars confusion_counts confusion_figure curves_figure graph_figure "
        "learned_graphs read_sample"
    ),
    "msg3d.visualization.explainer": "Explainer",
    "msg3d_onnx": "ExportedFileError KeypointError Prediction Recognizer",
}


@pytest.mark.parametrize("module", NAMES)
def test_names_can_be_imported(module):
    imported = import_module(module)
    missing = [name for name in NAMES[module].split() if not hasattr(imported, name)]
    assert not missing


def test_aliases_of_exceptions():
    from msg3d import apis, checkpoints, datasets, evaluation

    assert issubclass(errors.DataError, datasets.AnnotationError)
    assert issubclass(errors.DataError, evaluation.ScoreError)
    assert issubclass(errors.DataError, apis.KeypointError)
    assert issubclass(errors.ConfigError, apis.ConfigError)
    assert issubclass(errors.CheckpointError, apis.ExportedFileError)
    assert issubclass(errors.CheckpointError, checkpoints.CheckpointError)
    for name in ("BadFile", "PictureError", "TraitError"):
        assert issubclass(errors.DataError, getattr(errors, name))
    for error in (errors.DataError, errors.ConfigError, errors.CheckpointError):
        assert issubclass(error, ValueError)
    for error in (errors.PickleError, errors.CheckpointError):
        assert issubclass(error, UnpicklingError)


def test_the_old_partition_mode_is_deprecated():
    from msg3d.models.partition import PartitionGraph

    with pytest.warns(DeprecationWarning, match="stgcn_spatial_fixed"):
        graph = PartitionGraph(mode="stgcn_spatial_mended")
    assert (graph.A == PartitionGraph(mode="stgcn_spatial_fixed").A).all()
