# SPDX-License-Identifier: AGPL-3.0-or-later
"""Networks to start from, used as teachers: what they see where nobody drew a box.

What a teacher is sure of becomes a label, what it doubts is smeared away or left
out: a detector must not learn that an unlabelled thing is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from models.runtime.images import letterboxed, network_input
from models.runtime.values import BgrImage, BoxPx

# Any in this module: torch publishes no types that mypy could check here.

STRIDE_PX: Final = 32
MAX_OVERLAP: Final = 0.55
_BOX_VALUES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing that a teacher sees; ``class_id`` counts the teacher's own outputs."""

    class_id: int
    confidence: float
    box_px: BoxPx


Teacher = Callable[[BgrImage], tuple[Seen, ...]]


def teacher(network: Any, *, side_px: int, min_confidence: float) -> Teacher:  # noqa: ANN401 -- torch
    """A function that looks at pictures with a network.

    Args:
        network: YOLOv8 network of torch.
        side_px: Longer side of the network's input. Larger finds smaller things.
        min_confidence: What is less sure is not reported.
    """
    import torch  # noqa: PLC0415 -- training only

    network = network.eval().to(memory_format=torch.channels_last)

    def look(image: BgrImage) -> tuple[Seen, ...]:
        fitted, letterbox = letterboxed(image, longest_side_px=side_px, stride_px=STRIDE_PX)
        batch = torch.from_numpy(network_input(fitted))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            result = network(batch.to(memory_format=torch.channels_last))
        output = (result[0] if isinstance(result, tuple | list) else result).float().numpy()[0]
        scores = output[_BOX_VALUES:]
        kept = np.flatnonzero(scores.max(axis=0) >= min_confidence)
        boxes, best = output[:_BOX_VALUES, kept].T, scores[:, kept].max(axis=0)
        corners = np.concatenate((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]), axis=1)
        chosen = cv2.dnn.NMSBoxes(corners.tolist(), best.tolist(), 0.0, MAX_OVERLAP)
        height, width = image.shape[:2]
        return tuple(
            Seen(
                class_id=int(scores[:, kept[index]].argmax()),
                confidence=min(1.0, float(best[index])),
                box_px=letterbox.to_picture(
                    np.concatenate((corners[index, :2], corners[index, :2] + corners[index, 2:]))
                ).clipped(width=width, height=height),
            )
            for index in np.asarray(chosen, dtype=np.intp).reshape(-1)
        )

    return look
