# SPDX-License-Identifier: AGPL-3.0-or-later
"""Encodes evidence as JPEG and names it by the SHA-256 of its bytes."""

import hashlib
from typing import Final

import cv2
import numpy as np
import structlog

from central.contracts.passage import EvidenceKind
from edge.stages import EvidencePicture
from models.runtime.values import BgrImage

SCENE_QUALITY: Final = 85
PLATE_QUALITY: Final = 95
"""JPEG quality; lower saves upload time and blurs characters."""


LIVE_QUALITY: Final = 80
LIVE_WIDTH_PX_MAX: Final = 1280

log = structlog.get_logger(__name__)


def make_evidence(scene: BgrImage, plate: BgrImage | None) -> tuple[EvidencePicture, ...]:
    """Encode the pictures of one passage.

    Args:
        scene: The vehicle in its surroundings.
        plate: Its plate; ``None`` when none was seen.

    Returns:
        The scene, then the plate, without those that can't be encoded: a picture without bytes has
        no name, so the passage does not promise it, and goes on without it.
    """
    pictures = [_encoded(scene, kind=EvidenceKind.SCENE, quality=SCENE_QUALITY)]
    if plate is not None:
        pictures.append(_encoded(plate, kind=EvidenceKind.PLATE, quality=PLATE_QUALITY))
    return tuple(each for each in pictures if each is not None)


def live_jpeg(scene: BgrImage) -> bytes:
    """A picture for somebody who looks at the camera now; larger ones are made smaller."""
    height, width = scene.shape[:2]
    if width <= LIVE_WIDTH_PX_MAX:
        return _jpeg(scene, quality=LIVE_QUALITY)
    size = (LIVE_WIDTH_PX_MAX, max(1, round(height * LIVE_WIDTH_PX_MAX / width)))
    smaller = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    return _jpeg(smaller.astype(np.uint8, copy=False), quality=LIVE_QUALITY)


def _encoded(image: BgrImage, *, kind: EvidenceKind, quality: int) -> EvidencePicture | None:
    try:
        jpeg = _jpeg(image, quality=quality)
    except (cv2.error, ValueError):
        log.warning("evidence_not_encoded", kind=kind.value, shape=image.shape)
        return None
    return EvidencePicture(kind=kind.value, sha256=hashlib.sha256(jpeg).hexdigest(), jpeg=jpeg)


def _jpeg(image: BgrImage, *, quality: int) -> bytes:
    is_encoded, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_encoded:
        raise ValueError(f"a picture of shape {image.shape} can't be encoded")
    return buffer.tobytes()
