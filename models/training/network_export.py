# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a checkpoint to an ONNX file that is proven to give the same numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.errors import ModelFormatError
from models.runtime.registry import MAX_MODEL_BYTES
from models.runtime.sessions import open_session
from models.runtime.values import Backend

OPSET: Final = 17


def load_average(checkpoint: Path, network: nn.Module) -> int:
    """Fill a network with the running mean of a run's weights, ready for inference.

    Returns:
        The step of the checkpoint.
    """
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)  # tensors of torch
    network.load_state_dict(state["average"])
    network.eval()
    return int(state["step"])


def export_network(
    network: nn.Module, target: Path, *, shape: tuple[int, int, int], outputs: Sequence[str]
) -> None:
    """Write a network of pictures as ONNX with a free batch size.

    Args:
        network: Takes uint8 pictures.
        target: ONNX file.
        shape: Height, width and channels of one picture.
        outputs: Names of the outputs.

    Raises:
        ModelFormatError: If the file is larger than a release may be.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (torch.zeros((2, *shape), dtype=torch.uint8),),
        str(target),
        input_names=["pictures"],
        output_names=list(outputs),
        dynamic_axes={name: {0: "n"} for name in ("pictures", *outputs)},
        opset_version=OPSET,
        dynamo=False,
    )
    if target.stat().st_size > MAX_MODEL_BYTES:
        raise ModelFormatError(f"{target.name} is larger than {MAX_MODEL_BYTES} bytes")


def agreement_lines(
    network: nn.Module, exported: Path, batch: NDArray[np.uint8], *, difference_max: float
) -> list[str]:
    """Run torch and both inference libraries on the same pictures.

    Args:
        network: As exported.
        exported: The ONNX file.
        batch: Pictures, shape ``(n, h, w, 3)``.
        difference_max: Largest difference in any output that counts as rounding.

    Raises:
        ModelFormatError: If some backend differs more.
    """
    with torch.no_grad():
        outputs = network(torch.from_numpy(batch))
    listed = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    expected = [output.numpy() for output in listed]
    lines = []
    for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME):
        results = open_session(exported, backend=backend).run(batch)
        worst = max(
            float(np.abs(result.reshape(wanted.shape) - wanted).max())
            for result, wanted in zip(results, expected, strict=True)
        )
        if worst > difference_max:
            raise ModelFormatError(f"{backend} differs from torch by {worst:.5f}")
        lines.append(f"{backend.value}: within {worst:.6f} of torch")
    return lines
