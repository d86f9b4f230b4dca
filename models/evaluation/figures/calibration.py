# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether stated probabilities come true, and what it costs to answer only when sure.

A reading says with what probability it is right. Over many readings that
number must be the share that is right, because a person acts on it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.figures.intervals import Estimate, Share, bootstrap_estimate

BINS: Final = 10
_LEAST_PROBABILITY: Final = 1e-6
"""What a log loss takes an impossible event for; without it one wrong certainty is infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Stated probabilities with what came of them.

    Attributes:
        confidences: Shape ``(n,)``, 0 to 1.
        is_right: Shape ``(n,)``.
        unit: Shape ``(n,)``, 0 to ``units`` minus 1: readings of one plate or
            one track are one unit, because they are right or wrong together.
        units: How many there are.
    """

    confidences: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    unit: NDArray[np.intp]
    units: int

    def __post_init__(self) -> None:
        """Refuse arrays of different length."""
        if not len(self.confidences) == len(self.is_right) == len(self.unit):
            raise ValueError("every reading needs a confidence, a judgement and a unit")

    @classmethod
    def of(
        cls, confidences: Sequence[float], is_right: Sequence[bool], groups: Sequence[str]
    ) -> "Judged":
        """Readings in one order; ``groups`` names the plate or track of each."""
        names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
        return cls(
            confidences=np.array(confidences, dtype=np.float64),
            is_right=np.array(is_right, dtype=np.bool_),
            unit=np.array([names[name] for name in groups], dtype=np.intp),
            units=len(names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPoint:
    """What answering from some confidence on gives.

    Attributes:
        threshold: Least confidence that is answered.
        answered: Share of readings that are answered.
        wrong: Share of the answered ones that are wrong.
    """

    threshold: float
    answered: Share
    wrong: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Readings of about one stated probability.

    Attributes:
        stated: Mean confidence of the bin.
        observed: Share of the bin that is right.
    """

    stated: float
    observed: Share


def risk_coverage(judged: Judged) -> tuple[RiskPoint, ...]:
    """Share answered against share wrong, from answering the surest only to answering all.

    Returns:
        One point per distinct confidence, highest threshold first; readings
        of equal confidence are answered together.
    """
    order = np.argsort(-judged.confidences, kind="stable")
    confidences, wrong = judged.confidences[order], np.cumsum(~judged.is_right[order])
    total = len(confidences)
    lasts = [i for i in range(total) if i + 1 == total or confidences[i + 1] < confidences[i]]
    return tuple(
        RiskPoint(
            threshold=float(confidences[index]),
            answered=Share(successes=index + 1, trials=total),
            wrong=Share(successes=int(wrong[index]), trials=index + 1),
        )
        for index in lasts
    )


def risk_at(judged: Judged, *, threshold: float) -> RiskPoint:
    """What answering from one confidence on gives."""
    answered = judged.confidences >= threshold
    return RiskPoint(
        threshold=threshold,
        answered=Share(successes=int(answered.sum()), trials=len(answered)),
        wrong=Share(successes=int((answered & ~judged.is_right).sum()), trials=int(answered.sum())),
    )


def even_edges() -> NDArray[np.float64]:
    """Edges of ``BINS`` bins of equal width, shape ``(BINS + 1,)``."""
    return np.linspace(0.0, 1.0, BINS + 1)


def adaptive_edges(confidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of up to ``BINS`` bins that hold equally many readings each."""
    if not len(confidences):
        return even_edges()
    inner = np.quantile(confidences, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.unique(np.concatenate(([0.0], inner, [1.0])))


def calibration_bins(judged: Judged, edges: NDArray[np.float64]) -> tuple[CalibrationBin, ...]:
    """Stated against observed, by bins of the stated probability; empty bins left out."""
    number = _bin_numbers(judged.confidences, edges)
    return tuple(
        CalibrationBin(
            stated=float(judged.confidences[number == one].mean()),
            observed=Share(
                successes=int(judged.is_right[number == one].sum()),
                trials=int((number == one).sum()),
            ),
        )
        for one in range(len(edges) - 1)
        if (number == one).any()
    )


def expected_calibration_error(
    judged: Judged, edges: NDArray[np.float64], *, weights: NDArray[np.float64] | None = None
) -> float | None:
    """Mean distance of stated and observed, bins weighted by their readings; ``None`` for none."""
    weights = np.ones(len(judged.confidences)) if weights is None else weights
    if not weights.sum():
        return None
    number = _bin_numbers(judged.confidences, edges)
    gaps = weights * (judged.confidences - judged.is_right)
    sums = np.bincount(number, weights=gaps, minlength=len(edges) - 1)
    return float(np.abs(sums).sum() / weights.sum())


def calibration_estimates(judged: Judged) -> dict[str, Estimate]:
    """Calibration errors, Brier score and log loss with intervals, by name.

    Both calibration errors are a little above 0 for perfect probabilities
    too: bins of few readings scatter.
    """
    even, adaptive = even_edges(), adaptive_edges(judged.confidences)
    right = judged.is_right.astype(np.float64)
    brier = (judged.confidences - right) ** 2
    given = np.where(judged.is_right, judged.confidences, 1.0 - judged.confidences)
    loss = -np.log(np.maximum(given, _LEAST_PROBABILITY))
    return {
        "ece": _drawn(judged, lambda w: expected_calibration_error(judged, even, weights=w)),
        "ece_adaptive": _drawn(
            judged, lambda w: expected_calibration_error(judged, adaptive, weights=w)
        ),
        "brier": mean_estimate(judged, brier),
        "log_loss": mean_estimate(judged, loss),
    }


def mean_estimate(judged: Judged, values: NDArray[np.float64]) -> Estimate:
    """Mean of one number per reading; the interval draws units, not readings."""
    return _drawn(
        judged, lambda weights: float(weights @ values / weights.sum()) if weights.any() else None
    )


def ratio_estimate(
    judged: Judged, part: NDArray[np.float64], whole: NDArray[np.float64]
) -> Estimate:
    """Sum of one number per reading over the sum of another; the interval draws units."""
    return _drawn(
        judged, lambda weights: float(weights @ part / (weights @ whole)) if weights.any() else None
    )


def _drawn(judged: Judged, figure: Callable[[NDArray[np.float64]], float | None]) -> Estimate:
    return bootstrap_estimate(
        lambda counts: figure(counts[judged.unit].astype(np.float64)), units=judged.units
    )


def _bin_numbers(confidences: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """Bin of each confidence; a confidence on an edge belongs to the bin below it."""
    found = np.searchsorted(edges, confidences, side="left") - 1
    return np.asarray(np.clip(found, 0, len(edges) - 2), dtype=np.intp)
