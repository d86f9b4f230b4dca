# SPDX-License-Identifier: AGPL-3.0-or-later
"""Encodes evidence as JPEG and names it by the SHA-256 of its bytes."""

import hashlib
from typing import Final

import cv2

from central.contracts.passage import EvidenceKind
from edge.stages import EvidencePicture
from models.runtime.values import BgrImage

SCENE_QUALITY: Final = 85
PLATE_QUALITY: Final = 95
"""JPEG quality; lower saves upload time and blurs characters."""


def make_evidence(scene: BgrImage, plate: BgrImage | None) -> tuple[EvidencePicture, ...]:
    """Encode the pictures of one passage.

    Args:
        scene: The vehicle in its surroundings.
        plate: Its plate; ``None`` when none was seen.

    Returns:
        The scene, then the plate.
    """
    pictures = [_encoded(scene, kind=EvidenceKind.SCENE, quality=SCENE_QUALITY)]
    if plate is not None:
        pictures.append(_encoded(plate, kind=EvidenceKind.PLATE, quality=PLATE_QUALITY))
    return tuple(pictures)


def _encoded(image: BgrImage, *, kind: EvidenceKind, quality: int) -> EvidencePicture:
    is_encoded, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_encoded:
        raise ValueError(f"a picture of shape {image.shape} can't be encoded")
    jpeg = buffer.tobytes()
    return EvidencePicture(kind=kind.value, sha256=hashlib.sha256(jpeg).hexdigest(), jpeg=jpeg)
