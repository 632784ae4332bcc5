"""What a regression packs instead of a label."""

from typing import Dict, Sequence

import torch
from mmaction.datasets import PackActionInputs
from mmaction.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackTargetInputs(PackActionInputs):
    """PackActionInputs for samples with `targets`, which need no label.

    Required Keys: keypoint, targets
    Added: `gt_targets`, float32 [K], in the data sample; all else is as in
    PackActionInputs.

    Args:
        meta_keys: fields of the annotation that the data sample keeps, those of them
            that are there. PersonTraitMetric needs `person_id`, and `session` where a
            person has several; dumps are read by `frame_dir`.
    """

    def __init__(
        self, meta_keys: Sequence[str] = ("frame_dir", "person_id", "session")
    ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: Dict) -> Dict:
        if "targets" not in results:
            raise ValueError(
                f"sample {results.get('frame_dir')!r} has no `targets`, which "
                "PackTargetInputs packs: add them to the annotations, or use "
                "PackActionInputs for a sample with a label"
            )
        packed = super().transform(results)
        targets = torch.as_tensor(results["targets"], dtype=torch.float32)
        packed["data_samples"].set_field(targets, "gt_targets", dtype=torch.Tensor)
        return packed
