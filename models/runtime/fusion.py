# SPDX-License-Identifier: AGPL-3.0-or-later
"""One reading of one vehicle from the readings of its frames.

Frames of one vehicle are not independent witnesses: neighbours share blur,
angle and dirt, and a parked vehicle is one picture many times.  So each frame
counts by how much it adds to those before it, and all together never count
for more than a few independent looks.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.runtime.grammar import (
    CONFIDENCE_MAX,
    Decoded,
    char_confidences,
    decode,
    is_legal_plate,
    text_probability,
)
from models.runtime.values import (
    FloatArray,
    PlateAlternative,
    PlateColour,
    PlateLayout,
    PlateReading,
)

MAX_READINGS: Final = 1000
_INDEPENDENT_LOOKS_MAX: Final = 3.0
"""Weight of all frames together; higher trusts agreement more and is sooner too sure."""
_REPEAT_WEIGHT: Final = 0.03
"""Least weight of a frame that adds nothing new, relative to a new one."""
_TRUST: Final = 0.5
"""Share of a frame's confidence in its weight; higher lets one sure frame rule the others."""
_NOVELTY_GAIN: Final = 3.0
"""How soon a frame that differs counts as new; higher takes noise for another look."""
_LOOKED_BACK: Final = 12
"""Frames that a new one is compared with; a limit on work, not on quality."""
_WORST_WEIGHT: Final = 0.05
_FLOOR: Final = 1e-6
"""What one frame may hold against a text at most: one bad frame can not outvote the others."""
_TEXTS_MAX: Final = 40
_ALTERNATIVES_MAX: Final = 4
_ALTERNATIVE_MIN: Final = 1e-4
_COLOUR_SHARE_MIN: Final = 0.25
_ILLEGAL_PENALTY: Final = float(np.log(0.02))
"""Added to the support of a text that no format knows."""


def fuse_readings(readings: Sequence[PlateReading]) -> PlateReading:
    """Fuse all readings of one track into one.

    Args:
        readings: Readings of one vehicle in the order of its frames, 1 to
            ``MAX_READINGS``.

    Returns:
        The reading that all frames together support best; of a single frame
        that frame's own reading.

    Raises:
        ValueError: If there is no reading or there are too many.
    """
    if not 0 < len(readings) <= MAX_READINGS:
        raise ValueError(f"fuse 1 to {MAX_READINGS} readings, got {len(readings)}")
    if len(readings) == 1:
        return readings[0]
    weights = frame_weights(readings)
    pooled = _pooled_slots(readings, weights)
    layouts, colours = _votes(readings, weights)
    decoded = decode(pooled, layouts=layouts, colours=colours)
    ranked = _ranked_texts(readings, weights, decoded)
    return _fused(readings, ranked=ranked, pooled=pooled, layouts=layouts, colours=colours)


def frame_weights(readings: Sequence[PlateReading]) -> NDArray[np.float64]:
    """Weight of each frame: its quality times what it adds to the frames before.

    Returns:
        Shape ``(n,)``, positive; the sum is at most ``3`` independent looks.
    """
    weights = np.empty(len(readings))
    for index, reading in enumerate(readings):
        before = readings[max(0, index - _LOOKED_BACK) : index]
        novelty = max(_REPEAT_WEIGHT, _novelty(reading, before))
        weights[index] = novelty * (_WORST_WEIGHT + (1 - _WORST_WEIGHT) * _sharpness(reading))
    total = float(weights.sum())
    return np.asarray(weights * min(1.0, _INDEPENDENT_LOOKS_MAX / total), dtype=np.float64)


def _sharpness(reading: PlateReading) -> float:
    """How good a look is: mostly how likely its text is right, a little how clear its slots are.

    The second part lets frames speak of which none could be read alone.
    """
    favourite = float(reading.slot_probabilities.max(axis=1).mean())
    return _TRUST * reading.confidence + (1 - _TRUST) * favourite * favourite


def _novelty(reading: PlateReading, before: Sequence[PlateReading]) -> float:
    """Distance to the most similar earlier frame, 0 for a repetition to 1."""
    if not before:
        return 1.0
    stacked = np.stack([other.slot_probabilities for other in before])
    apart = 0.5 * np.abs(stacked - reading.slot_probabilities[None]).sum(axis=2)
    nearest = float(apart.max(axis=1).min())
    return min(1.0, _NOVELTY_GAIN * nearest)


def _pooled_slots(readings: Sequence[PlateReading], weights: NDArray[np.float64]) -> FloatArray:
    """Weighted product of the frames' slot probabilities, rows sum to 1."""
    stacked = np.stack([reading.slot_probabilities for reading in readings]).astype(np.float64)
    logs = np.log(np.maximum(stacked, _FLOOR))
    share = weights * max(1.0 / float(weights.sum()), 1.0)
    pooled = np.exp(np.einsum("n,nsc->sc", share, logs))
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True), dtype=np.float32)


def _votes(
    readings: Sequence[PlateReading], weights: NDArray[np.float64]
) -> tuple[dict[PlateLayout, float], dict[PlateColour, float]]:
    layouts: dict[PlateLayout, float] = {}
    colours: dict[PlateColour, float] = {}
    for reading, weight in zip(readings, weights / weights.sum(), strict=True):
        layouts[reading.layout] = layouts.get(reading.layout, 0.0) + float(weight)
        colours[reading.colour] = colours.get(reading.colour, 0.0) + float(weight)
    return layouts, colours


def _ranked_texts(
    readings: Sequence[PlateReading], weights: NDArray[np.float64], decoded: Decoded
) -> list[tuple[str, float]]:
    """Candidate texts, best first, with their share of the evidence.

    A frame that lost a character reads the others one slot too early; pooling
    slots would mix them up, so whole texts are weighed too.
    """
    texts = dict.fromkeys([decoded.text, *(a.text for a in decoded.alternatives)])
    for reading in sorted(readings, key=lambda item: -item.confidence):
        texts |= dict.fromkeys([reading.text, *(a.text for a in reading.alternatives[:2])])
        if len(texts) >= _TEXTS_MAX:
            break
    share = weights * max(1.0 / float(weights.sum()), 1.0)
    scores = {text: _support(text, readings, share) for text in texts}
    best = max(scores.values())
    odds = {text: float(np.exp(score - best)) for text, score in scores.items()}
    rest = max(0.0, 1.0 - decoded.confidence - sum(a.confidence for a in decoded.alternatives))
    total = sum(odds.values()) / max(1e-6, 1.0 - min(rest, 0.9))
    return sorted(((t, o / total) for t, o in odds.items()), key=lambda item: (-item[1], item[0]))


def _support(text: str, readings: Sequence[PlateReading], share: NDArray[np.float64]) -> float:
    """Weighted log-probability of a text, each frame's objection bounded."""
    seen = [text_probability(text, reading.slot_probabilities) for reading in readings]
    support = float(np.dot(share, np.log(np.maximum(seen, _FLOOR))))
    return support if is_legal_plate(text) else support + _ILLEGAL_PENALTY


def _likeliest_colour(colours: dict[PlateColour, float]) -> PlateColour:
    """The best known colour; unknown only when nearly no frame showed one."""
    known = {c: w for c, w in colours.items() if c != PlateColour.UNKNOWN}
    if not known or max(known.values()) < _COLOUR_SHARE_MIN:
        return PlateColour.UNKNOWN
    return max(known, key=lambda colour: known[colour])


def _fused(
    readings: Sequence[PlateReading],
    *,
    ranked: list[tuple[str, float]],
    pooled: FloatArray,
    layouts: dict[PlateLayout, float],
    colours: dict[PlateColour, float],
) -> PlateReading:
    text, confidence = ranked[0]
    clearest = max(readings, key=lambda reading: reading.confidence)
    agreeing = [reading for reading in readings if reading.text == text] or [clearest]
    certain = max(agreeing, key=lambda reading: reading.confidence)
    return PlateReading(
        raw_text=certain.raw_text,
        text=text,
        char_confidences=char_confidences(text, pooled),
        confidence=min(CONFIDENCE_MAX, confidence),
        alternatives=tuple(
            PlateAlternative(text=other, confidence=odds)
            for other, odds in ranked[1 : 1 + _ALTERNATIVES_MAX]
            if odds >= _ALTERNATIVE_MIN
        ),
        layout=max(layouts, key=lambda layout: layouts[layout]),
        colour=_likeliest_colour(colours),
        is_legal=is_legal_plate(text),
        slot_probabilities=pooled,
    )
