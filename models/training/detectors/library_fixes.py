# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making the training library fit for a processor without a graphics card.

Measured: left alone it trains on one thread in 32-bit floats, at a third of
the speed; and its validation imports torchvision, whose build for the
processor's torch lacks one operator, which is defined here.
"""

from typing import Any, Final

_NMS_SCHEMA: Final = "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_QUANTISED_NMS_SCHEMA: Final = "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept_libraries: Final[list[Any]] = []  # Any: torch publishes no types here; dropping it undefines


def define_torchvision_operators() -> None:
    """Define ``torchvision::nms`` and ``qnms`` so that torchvision imports; once."""
    import torch  # noqa: PLC0415 -- only the training environment has it
    from ultralytics.utils.nms import TorchNMS  # noqa: PLC0415

    if _kept_libraries:
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define(_NMS_SCHEMA)
    library.define(_QUANTISED_NMS_SCHEMA)
    library.impl("nms", TorchNMS.nms, "CPU")
    library.impl("qnms", TorchNMS.nms, "CPU")
    _kept_libraries.append(library)


def train_in_bfloat16() -> None:
    """Let the trainer use bfloat16 on the processor, which it would refuse."""
    import torch  # noqa: PLC0415 -- only the training environment has it
    from ultralytics.engine import trainer  # noqa: PLC0415

    def autocast(_enabled: object, device: str = "cpu") -> object:
        return torch.autocast(device, torch.bfloat16)

    trainer.autocast = autocast
