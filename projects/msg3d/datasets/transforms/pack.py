"""Transform that packs samples with regression targets."""

from collections.abc import Sequence

import torch
from mmaction.datasets import PackActionInputs
from mmaction.registry import TRANSFORMS

from ...errors import DataError


@TRANSFORMS.register_module()
class PackTargetInputs(PackActionInputs):
    """PackActionInputs for samples with `targets` instead of a label.

    The result is that of PackActionInputs. In addition, the data sample has `gt_targets`,
    float32 [K].

    Args:
        meta_keys: fields of the annotation to keep in the data sample, if they exist.
            PersonTraitMetric requires `person_id`, and `session` if a person has several
            sessions. Dumped predictions are matched by `frame_dir`.

    Required keys: `keypoint`; `targets`, K numbers.

    Raises:
        DataError: a sample has no `targets` (kind `target`).
    """

    def __init__(
        self, meta_keys: Sequence[str] = ("frame_dir", "person_id", "session")
    ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        if "targets" not in results:
            raise DataError(
                "'targets' is missing, but PackTargetInputs requires it. Add targets to "
                "the annotations, or use PackActionInputs for samples with a label.",
                kind="target",
                sample=results.get("frame_dir"),
                field="targets",
            )
        packed = super().transform(results)
        targets = torch.as_tensor(results["targets"], dtype=torch.float32)
        packed["data_samples"].set_field(targets, "gt_targets", dtype=torch.Tensor)
        return packed
