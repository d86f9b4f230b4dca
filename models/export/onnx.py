# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a training checkpoint to the ONNX file that is released."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import ModelFormatError
from models.runtime.registry import MAX_MODEL_BYTES
from models.runtime.sessions import open_session
from models.runtime.values import Backend, FloatArray

# Any in this module: torch and ultralytics publish no types that mypy could check here.

OPSET: Final = 17
EXPORT_SIDE_PX: Final = 640
MAX_BOX_DIFFERENCE_PX: Final = 0.5
MAX_SCORE_DIFFERENCE: Final = 0.005
_BOX_VALUES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Greatest differences between two ways of running one network.

    Attributes:
        backend: The runtime that was compared with torch.
        box_px: Greatest difference of a box's value where something is seen.
        score: Greatest difference of a class's score anywhere.
    """

    backend: Backend
    box_px: float
    score: float


def export_detector(checkpoint: Path, target: Path) -> None:
    """Write a detector's checkpoint as ONNX with free picture sizes.

    Args:
        checkpoint: Training checkpoint of Ultralytics.
        target: File to write; an earlier one is replaced.

    Raises:
        ModelFormatError: The file would be larger than a release may be.
    """
    from ultralytics import YOLO  # noqa: PLC0415 -- only the training environment has it

    written = Path(
        YOLO(str(checkpoint)).export(
            format="onnx", imgsz=EXPORT_SIDE_PX, opset=OPSET, dynamic=True, simplify=True
        )
    )
    size_bytes = written.stat().st_size
    if size_bytes > MAX_MODEL_BYTES:
        raise ModelFormatError(f"{written.name} has {size_bytes} bytes, over {MAX_MODEL_BYTES}")
    shutil.move(written, target)
    forget_where_it_was_made(target)


def forget_where_it_was_made(path: Path) -> None:
    """Take out what the training library notes in a file: folders and options of this machine."""
    import onnx  # noqa: PLC0415 -- only the training environment has it

    model = onnx.load(str(path))
    del model.metadata_props[:]
    model.doc_string = ""
    onnx.save(model, str(path))


def compare_detector(
    checkpoint: Path, exported: Path, *, inputs: Sequence[FloatArray]
) -> tuple[Agreement, ...]:
    """Run torch, OpenVINO and ONNX Runtime on the same inputs.

    Args:
        checkpoint: Training checkpoint.
        exported: The ONNX file made from it.
        inputs: Network inputs, each ``(1, 3, height, width)``.

    Returns:
        One agreement per runtime, the worst over all inputs.

    Raises:
        ModelFormatError: Some runtime differs more than rounding explains.
    """
    network = _torch_network(checkpoint)
    expected = [_torch_output(network, batch) for batch in inputs]
    agreements = []
    for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME):
        session = open_session(exported, backend=backend)
        outputs = [session.run(batch)[0] for batch in inputs]
        agreements.append(_worst(backend, expected, outputs))
    for one in agreements:
        if one.box_px > MAX_BOX_DIFFERENCE_PX or one.score > MAX_SCORE_DIFFERENCE:
            raise ModelFormatError(
                f"{one.backend} differs from torch by {one.box_px:.3f} px and {one.score:.4f}"
            )
    return tuple(agreements)


def _torch_network(checkpoint: Path) -> Any:  # noqa: ANN401 -- a torch module
    from ultralytics.nn.tasks import load_checkpoint  # noqa: PLC0415 -- training only

    network, _ = load_checkpoint(str(checkpoint))
    return network.float().eval()


def _torch_output(network: Any, batch: FloatArray) -> FloatArray:  # noqa: ANN401 -- a torch module
    import torch  # noqa: PLC0415 -- training only

    with torch.no_grad():
        result = network(torch.from_numpy(batch))
    output = result[0] if isinstance(result, list | tuple) else result
    return np.asarray(output.numpy(), dtype=np.float32)


def _worst(
    backend: Backend, expected: Sequence[FloatArray], outputs: Sequence[FloatArray]
) -> Agreement:
    box_px, score = 0.0, 0.0
    for left, right in zip(expected, outputs, strict=True):
        if left.shape != right.shape:
            raise ModelFormatError(f"{backend} gives {right.shape}, torch {left.shape}")
        difference = np.abs(left - right)
        score = max(score, float(difference[:, _BOX_VALUES:].max()))
        seen = left[0, _BOX_VALUES:].max(axis=0) >= MAX_SCORE_DIFFERENCE * 10
        if seen.any():
            box_px = max(box_px, float(difference[0, :_BOX_VALUES, seen].max()))
    return Agreement(backend=backend, box_px=box_px, score=score)
