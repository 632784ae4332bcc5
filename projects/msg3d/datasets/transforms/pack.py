"""Pack regression targets instead of a label."""

from collections.abc import Sequence

import torch
from mmaction.datasets import PackActionInputs
from mmaction.registry import TRANSFORMS

from ...errors import DataError


@TRANSFORMS.register_module()
class PackTargetInputs(PackActionInputs):
    """PackActionInputs for samples with `targets`, which need no label.

    Required keys: `keypoint`, `targets`.
    Added: `gt_targets`, float32 [K], in the data sample; the rest is as in
    PackActionInputs.

    Args:
        meta_keys: fields of the annotation that the data sample keeps, as far as they
            exist. PersonTraitMetric needs `person_id`, and `session` if a person has
            several; dumps are read by `frame_dir`.

    Raises:
        DataError: a sample has no `targets`; kind "target".
    """

    def __init__(
        self, meta_keys: Sequence[str] = ("frame_dir", "person_id", "session")
    ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        if "targets" not in results:
            raise DataError(
                "has no `targets`, which PackTargetInputs packs: add them to the "
                "annotations, or use PackActionInputs for a sample with a label",
                kind="target",
                sample=results.get("frame_dir"),
                field="targets",
            )
        packed = super().transform(results)
        targets = torch.as_tensor(results["targets"], dtype=torch.float32)
        packed["data_samples"].set_field(targets, "gt_targets", dtype=torch.Tensor)
        return packed
