# SPDX-License-Identifier: AGPL-3.0-or-later
"""Average precision as COCO counts it: precision read off at 101 levels of recall.

Written from the definition in T.-Y. Lin et al., "Microsoft COCO" (2014), and the description of
its detection metrics. Boxes of another size than the one asked for are neither right nor wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.figures.intervals import Estimate, bootstrap_estimate

OVERLAPS: Final = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Intersection over union from which a box is right; AP50 takes the first, mAP50-95 all."""
_RECALL_LEVELS: Final = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMatches:
    """One picture's detections, judged at every one of ``OVERLAPS``.

    Attributes:
        confidences: Shape ``(n,)``.
        is_right: Shape ``(len(OVERLAPS), n)``; whether the detection covers a
            truth that no surer one took.
        is_counted: The same shape; false where the detection belongs to a
            truth that is left out, or is itself left out.
        truths: Number of truths that count.
    """

    confidences: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    is_counted: NDArray[np.bool_]
    truths: int


def overlaps_of(
    detections_px: NDArray[np.float64], truths_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Intersection over union of all pairs.

    Args:
        detections_px: Shape ``(n, 4)``, ``x_min, y_min, x_max, y_max``.
        truths_px: Shape ``(m, 4)``, the same.

    Returns:
        Shape ``(n, m)``, 0 to 1.
    """
    low = np.maximum(detections_px[:, None, :2], truths_px[None, :, :2])
    high = np.minimum(detections_px[:, None, 2:], truths_px[None, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=2)
    areas = (_areas(detections_px)[:, None] + _areas(truths_px)[None, :]) - common
    return np.asarray(common / np.maximum(areas, 1e-9), dtype=np.float64)


def match_picture(
    *,
    confidences: NDArray[np.float64],
    overlaps: NDArray[np.float64],
    is_truth_counted: NDArray[np.bool_],
    is_detection_counted: NDArray[np.bool_],
) -> PictureMatches:
    """Give every detection, surest first, the free truth that it covers best.

    Args:
        confidences: Shape ``(n,)``.
        overlaps: Shape ``(n, m)``.
        is_truth_counted: Shape ``(m,)``; a truth that does not count is taken
            only where none that counts is covered.
        is_detection_counted: Shape ``(n,)``; false for a detection that,
            where it covers nothing, is not held against the detector.
    """
    right = np.zeros((len(OVERLAPS), len(confidences)), dtype=np.bool_)
    counted = np.repeat(is_detection_counted[None], len(OVERLAPS), axis=0)
    best = overlaps.max(axis=1, initial=0.0)
    surest_first = np.argsort(-confidences, kind="stable")
    order = [int(index) for index in surest_first if best[index] >= OVERLAPS[0]]
    for level, least in enumerate(OVERLAPS):
        free = np.ones(len(is_truth_counted), dtype=np.bool_)
        for index in order:
            if best[index] < least:
                continue
            truth = _best_free(overlaps[index], free=free, counted=is_truth_counted, least=least)
            if truth is None:
                continue
            free[truth] = False
            right[level, index] = counted[level, index] = is_truth_counted[truth]
    return PictureMatches(
        confidences=confidences,
        is_right=right,
        is_counted=counted,
        truths=int(is_truth_counted.sum()),
    )


def average_precision(
    pictures: Sequence[PictureMatches], *, counts: NDArray[np.intp], levels: Sequence[int]
) -> float | None:
    """Mean average precision over some of ``OVERLAPS``.

    Args:
        pictures: Matches of all pictures.
        counts: How often each picture counts, shape ``(len(pictures),)``.
        levels: Indices into ``OVERLAPS``.

    Returns:
        0 to 1; ``None`` where no truth counts.
    """
    return _Ranking(pictures).average_precision(counts, levels=levels)


def precision_estimates(pictures: Sequence[PictureMatches]) -> tuple[Estimate, Estimate]:
    """AP at an overlap of 0.5, and the mean over 0.5 to 0.95; intervals by drawing pictures."""
    ranking = _Ranking(pictures)
    every = range(len(OVERLAPS))
    first = bootstrap_estimate(
        lambda counts: ranking.average_precision(counts, levels=(0,)), units=len(pictures)
    )
    mean = bootstrap_estimate(
        lambda counts: ranking.average_precision(counts, levels=every), units=len(pictures)
    )
    return first, mean


class _Ranking:
    """All detections, surest first, so that drawing pictures again only weighs them anew."""

    def __init__(self, pictures: Sequence[PictureMatches]) -> None:
        confidences = np.concatenate([one.confidences for one in pictures] or [np.empty(0)])
        order = np.argsort(-confidences, kind="stable")
        sizes = [len(one.confidences) for one in pictures]
        self._picture = np.repeat(np.arange(len(pictures)), sizes)[order]
        empty = np.empty((len(OVERLAPS), 0), dtype=np.bool_)
        right = np.concatenate([one.is_right for one in pictures] or [empty], axis=1)[:, order]
        counted = np.concatenate([one.is_counted for one in pictures] or [empty], axis=1)[:, order]
        self._right = right & counted
        self._wrong = ~right & counted
        self._truths = np.array([one.truths for one in pictures], dtype=np.intp)

    def average_precision(self, counts: NDArray[np.intp], *, levels: Sequence[int]) -> float | None:
        truths = int(counts @ self._truths)
        if not truths:
            return None
        weights = counts[self._picture]
        return float(np.mean([self._at(level, weights, truths) for level in levels]))

    def _at(self, level: int, weights: NDArray[np.intp], truths: int) -> float:
        right = np.cumsum(weights * self._right[level])
        wrong = np.cumsum(weights * self._wrong[level])
        recall = right / truths
        precision = right / np.maximum(right + wrong, 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        index = np.searchsorted(recall, _RECALL_LEVELS - 1e-12, side="left")
        return float(np.append(envelope, 0.0)[index].mean())


def _areas(boxes_px: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = boxes_px[:, 2:] - boxes_px[:, :2]
    return np.asarray(sides.prod(axis=1), dtype=np.float64)


def _best_free(
    overlaps: NDArray[np.float64],
    *,
    free: NDArray[np.bool_],
    counted: NDArray[np.bool_],
    least: float,
) -> int | None:
    for wanted in (free & counted, free & ~counted):
        usable = np.where(wanted, overlaps, -1.0)
        index = int(usable.argmax())
        if usable[index] >= least:
            return index
    return None
