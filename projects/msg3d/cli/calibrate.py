"""Fit the temperature of class probabilities, and store it in a checkpoint.

SCORES are the scores of the checkpoint on a validation split, which is used for neither
training nor testing. The temperature divides the logarithm of the averaged probabilities
(Guo et al., ICML 2017). It changes the scores, but not the predicted class:

    msg3d calibrate best.pth val.pkl --output calibrated.pth

`msg3d predict`, `Recognizer`, and networks that `msg3d export` exports from OUTPUT return
calibrated scores. `msg3d test` writes the scores without the temperature.
"""

import argparse

from .options import add_shared, check_overwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("checkpoint", metavar="CHECKPOINT", help="checkpoint that was tested")
    add("scores", metavar="SCORES", help="scores on the validation split, with labels")
    add(
        "--ann-file",
        metavar="FILE",
        help="annotation file, for labels if the score file has none",
    )
    add_shared(parser, "--split")
    add_shared(
        parser,
        "--output",
        required=True,
        help="checkpoint to write, .pth or .safetensors, without the optimizer's state",
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..checkpoints.temperature import check_name, store_temperature
    from ..evaluation import (
        apply_temperature,
        calibration_error,
        fit_temperature,
        labels_of,
        read_scores,
    )
    from ..evaluation.calibration import log_loss
    from ..evaluation.statistics import labels_in

    check_name(args.output)
    check_overwrite(args.overwrite, args.output)
    known = labels_of(args.ann_file, args.split) if args.ann_file else None
    scores = read_scores(args.scores, known).as_probabilities()
    labels = labels_in(scores)
    before = scores.values
    temperature = fit_temperature(before, labels)
    after = apply_temperature(before, temperature)
    print(f"temperature: {temperature:.4f}")
    for name, measure, factor in (
        ("log loss", log_loss, 1),
        ("calibration error in %", calibration_error, 100),
    ):
        numbers = [factor * measure(values, labels) for values in (before, after)]
        print(f"{name}: {numbers[0]:.3f} before, {numbers[1]:.3f} after")
    store_temperature(args.checkpoint, args.output, temperature, before.shape[1])
    print(f"wrote {args.output}")
