# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far a network's own probabilities may be believed.

A network is surer than it should be on what it has not learned. Four numbers,
fitted on plates that no training saw, turn its logits into probabilities that
come true (temperature: Guo et al. 2017; the last step: Platt 1999).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from models.errors import ModelFormatError
from models.runtime.registry import ModelConfig
from models.runtime.values import FloatArray

CONFIDENCE_MAX: Final = 0.9995
_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """A reader's calibration.

    Attributes:
        temperature: Divides the logits; above 1 softens every probability.
        doubt: Share given to all characters alike, in [0, 1); bounds how sure a slot may be.
        slope: Factor on the log odds of a whole text; below 1 softens.
        offset: Added to them; below 0 lowers every confidence.
        answer_from: Confidence from which a reading is an answer. Higher
            answers less often and is wrong less often.
    """

    temperature: float
    doubt: float
    slope: float
    offset: float
    answer_from: float

    def __post_init__(self) -> None:
        """Refuse numbers with which no probability comes out."""
        if self.temperature <= 0 or self.slope <= 0 or not 0.0 <= self.doubt < 1.0:
            raise ModelFormatError("a belief needs temperature > 0, slope > 0, 0 <= doubt < 1")
        if not 0.0 < self.answer_from < 1.0:
            raise ModelFormatError(f"answer_from lies between 0 and 1, got {self.answer_from}")

    @classmethod
    def from_registry(cls, config: ModelConfig) -> Self:
        """Take the calibration from a reader's registry entry."""
        return cls(
            temperature=config.number("temperature"),
            doubt=config.number("doubt"),
            slope=config.number("slope"),
            offset=config.number("offset"),
            answer_from=config.number("answer_from"),
        )

    def slot_probabilities(self, logits: FloatArray, *, legible: float) -> FloatArray:
        """Probabilities of each slot's characters.

        Args:
            logits: Shape ``(slots, classes)``.
            legible: Logit that the crop can be read at all; only a crop that is rather
                illegible than legible is softened by it.

        Returns:
            Shape ``(slots, classes)``, rows sum to 1.
        """
        soft = softmax(np.asarray(logits / self.temperature, dtype=np.float32))
        kept = (1.0 - self.doubt) * min(1.0, 2.0 * _share(legible))
        return np.asarray(soft * kept + (1.0 - kept) / logits.shape[-1], dtype=np.float32)

    def confidence(self, posterior: float, *, genuine: float) -> float:
        """Probability that a text is exactly right.

        Args:
            posterior: Its probability after the grammar, 0 to 1.
            genuine: Logit that the crop shows a Vietnamese plate.
        """
        bounded = min(1.0 - _TINY, max(_TINY, posterior))
        odds = self.slope * float(np.log(bounded / (1.0 - bounded))) + self.offset
        return min(CONFIDENCE_MAX, _share(odds) * self.genuineness(genuine))

    @staticmethod
    def genuineness(genuine: float) -> float:
        """Probability that the crop shows a Vietnamese plate."""
        return _share(genuine)


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def _share(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))
