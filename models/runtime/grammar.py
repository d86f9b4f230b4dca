# SPDX-License-Identifier: AGPL-3.0-or-later
"""From what the network saw to a text that may stand on a Vietnamese plate.

The raw text is what the picture says character by character; the corrected
text is the most probable legal one.  Both are kept apart all the way, because
a corrected text must never be the only evidence for a fine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.runtime.plate_formats import (
    ALPHABET,
    MAX_PLATE_LENGTH,
    PLATE_FORMATS,
    PROVINCE_CODES,
    PlateFormat,
)
from models.runtime.values import FloatArray, PlateAlternative, PlateColour, PlateLayout

BLANK: Final = len(ALPHABET)
CLASSES: Final = len(ALPHABET) + 1
CONFUSABLE_GROUPS: Final = (
    "0ODQ", "1ILJ", "2Z", "4A", "5S", "6G", "7TY", "8B", "3B", "9P", "CG", "DU", "EF", "HK",
    "HMN", "PF", "UV", "VY", "XK", "PR", "38",
)  # fmt: skip
"""Characters that look alike on plates; within a group any may be taken for any other."""

_CONFUSION: Final = 0.001
"""Share of a character's probability lent to its look-alikes before a legal text is sought.

Higher repairs more misread letters and invents more; 0 trusts the network alone.
"""
_ILLEGAL_WEIGHT: Final = 0.02
"""Weight of all texts that no format knows; higher makes every confidence more cautious."""
_LEGAL_ODDS_MIN: Final = 5e-7
"""A legal text this much less probable than the raw one is not taken: the picture wins."""
_MISMATCH: Final = 0.02
"""Weight that a format keeps although layout or colour speak against it."""
_ILLEGAL_TRUST: Final = 0.5
"""Factor on the probability of a text that no format knows."""
_PATTERNS_SEARCHED: Final = 4
_PRUNED_BELOW: Final = 1e-4
_BEAM_WIDTH: Final = 8
_CHOICES_PER_SLOT: Final = 3
_ALTERNATIVES_MAX: Final = 4
_ALTERNATIVE_MIN: Final = 1e-4
CONFIDENCE_MAX: Final = 0.9995
_TINY: Final = 1e-9
_INDEX: Final = {character: index for index, character in enumerate(ALPHABET)}
_Table = NDArray[np.float64]
_NOT_PLATE: Final = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Texts that fit one table of slot probabilities.

    Attributes:
        raw_text: Most probable text, legal or not.
        text: Most probable legal text, or the raw text when nothing legal fits.
        char_confidences: The network's own probability of each character of ``text``.
        confidence: Probability that ``text`` is exactly right.
        alternatives: Other legal texts, best first.
        is_legal: Whether ``text`` fits a format.
    """

    raw_text: str
    text: str
    char_confidences: tuple[float, ...]
    confidence: float
    alternatives: tuple[PlateAlternative, ...]
    is_legal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    plate_format: PlateFormat
    length: int
    code_at: int | None
    allowed: NDArray[np.bool_]  # (slots, classes); all true under the province code


def normalise_plate(text: str) -> str:
    """Plate text as it is stored: upper case, no separators, Đ as D."""
    return _NOT_PLATE.sub("", text.upper().replace("Đ", "D"))


def is_legal_plate(text: str) -> bool:
    """Whether a normalised text fits a legal format."""
    return bool(formats_of(text))


def formats_of(text: str) -> tuple[PlateFormat, ...]:
    """Formats that a normalised text fits; several may share a text."""
    fitting = [_patterns()[row].plate_format for row in _fitting_rows(text)]
    return tuple(dict.fromkeys(fitting))


def text_probability(text: str, slot_probabilities: FloatArray | _Table) -> float:
    """Probability of exactly this text, slots taken as independent.

    Args:
        text: Normalised text, at most as long as there are slots.
        slot_probabilities: Shape ``(slots, 37)``, rows sum to 1, blank last.
    """
    if len(text) > slot_probabilities.shape[0]:
        return 0.0
    codes = [_INDEX[character] for character in text]
    codes += [BLANK] * (slot_probabilities.shape[0] - len(text))
    chosen = slot_probabilities[np.arange(len(codes)), codes].astype(np.float64)
    return float(np.prod(chosen))


def char_confidences(text: str, slot_probabilities: FloatArray | _Table) -> tuple[float, ...]:
    """Probability of each character of a text in its slot."""
    return tuple(
        float(np.clip(slot_probabilities[slot, _INDEX[character]], 0.0, 1.0))
        for slot, character in enumerate(text)
    )


def decode(
    slot_probabilities: FloatArray,
    *,
    layouts: Mapping[PlateLayout, float] | None = None,
    colours: Mapping[PlateColour, float] | None = None,
) -> Decoded:
    """Find the most probable legal text.

    Args:
        slot_probabilities: Shape ``(10, 37)``, rows sum to 1, blank last.
        layouts: Probability of each layout; ``None`` when not known.
        colours: Probability of each background; ``None`` when not known.

    Raises:
        ValueError: If the table has another shape.
    """
    if slot_probabilities.shape != (MAX_PLATE_LENGTH, CLASSES):
        raise ValueError(f"need {MAX_PLATE_LENGTH} slots x {CLASSES} classes")
    seen = slot_probabilities.astype(np.float64)
    raw_text = _raw_text(seen)
    lent = _with_lookalikes(seen)
    weights = _pattern_weights(layouts, colours)
    masses, bests = _pattern_scores(lent)
    total = float(np.dot(weights, masses))
    total += _ILLEGAL_WEIGHT * max(0.0, 1.0 - float(masses.max()))
    scores = _candidates(lent, weights, bests)
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    posterior = [(text, min(CONFIDENCE_MAX, score / total)) for text, score in ranked]
    if not posterior or _is_far_fetched(posterior[0][0], raw_text, seen):
        return _as_seen(raw_text, seen, posterior)
    text, confidence = posterior[0]
    return Decoded(
        raw_text=raw_text,
        text=text,
        char_confidences=char_confidences(text, seen),
        confidence=confidence,
        alternatives=_alternatives(posterior[1:]),
        is_legal=True,
    )


def _as_seen(raw_text: str, seen: _Table, posterior: list[tuple[str, float]]) -> Decoded:
    """The raw text, because nothing legal is near what the picture shows."""
    is_legal = is_legal_plate(raw_text)
    joint = text_probability(raw_text, seen)
    return Decoded(
        raw_text=raw_text,
        text=raw_text,
        char_confidences=char_confidences(raw_text, seen),
        confidence=joint if is_legal else joint * _ILLEGAL_TRUST,
        alternatives=_alternatives([item for item in posterior if item[0] != raw_text]),
        is_legal=is_legal,
    )


def _raw_text(seen: _Table) -> str:
    """Most probable text of any length, without a gap."""
    best = seen[:, :BLANK].argmax(axis=1)
    logs = np.log(seen[np.arange(len(best)), best] + _TINY)
    blanks = np.log(seen[:, BLANK] + _TINY)
    by_length = np.concatenate([[0.0], np.cumsum(logs)])
    by_length += np.concatenate([np.cumsum(blanks[::-1])[::-1], [0.0]])
    length = int(by_length.argmax())
    return "".join(ALPHABET[index] for index in best[:length])


def _alternatives(posterior: list[tuple[str, float]]) -> tuple[PlateAlternative, ...]:
    likely = [item for item in posterior if item[1] >= _ALTERNATIVE_MIN]
    return tuple(
        PlateAlternative(text=text, confidence=confidence)
        for text, confidence in likely[:_ALTERNATIVES_MAX]
    )


def _is_far_fetched(text: str, raw_text: str, seen: _Table) -> bool:
    table = _with_lookalikes(seen)
    raw = text_probability(raw_text, table)
    return text_probability(text, table) < _LEGAL_ODDS_MIN * raw


@cache
def _confusion_matrix() -> _Table:
    matrix = np.eye(CLASSES)
    for group in CONFUSABLE_GROUPS:
        for a in group:
            for b in group:
                if a != b:
                    matrix[_INDEX[a], _INDEX[b]] = _CONFUSION
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), dtype=np.float64)


def _with_lookalikes(seen: _Table) -> _Table:
    return np.asarray(seen @ _confusion_matrix(), dtype=np.float64)


@cache
def _patterns() -> tuple[_Pattern, ...]:
    return tuple(
        _pattern(plate_format, characters)
        for plate_format in PLATE_FORMATS
        for characters in plate_format.patterns
    )


def _pattern(plate_format: PlateFormat, characters: tuple[str, ...]) -> _Pattern:
    code = ((ALPHABET,) * 2) if plate_format.has_province else ()
    sets = (*plate_format.prefix, *code, *characters)
    allowed = np.zeros((MAX_PLATE_LENGTH, CLASSES), np.bool_)
    for slot, members in enumerate(sets):
        allowed[slot, [_INDEX[member] for member in members]] = True
    allowed[len(sets) :, BLANK] = True
    code_at = len(plate_format.prefix) if plate_format.has_province else None
    if code_at is not None:
        allowed[code_at : code_at + 2] = True
    return _Pattern(plate_format=plate_format, length=len(sets), code_at=code_at, allowed=allowed)


@cache
def _allowed() -> _Table:
    return np.stack([pattern.allowed for pattern in _patterns()]).astype(np.float64)


@cache
def _code_indices() -> NDArray[np.int64]:
    return np.array([[_INDEX[code[0]], _INDEX[code[1]]] for code in PROVINCE_CODES])


@cache
def _rows_by_length() -> Mapping[int, tuple[tuple[int, re.Pattern[str]], ...]]:
    """Pattern numbers and their expressions by text length."""
    rows: dict[int, list[tuple[int, re.Pattern[str]]]] = {}
    for row, pattern in enumerate(_patterns()):
        rows.setdefault(pattern.length, []).append((row, _expression(pattern)))
    return {length: tuple(items) for length, items in rows.items()}


@cache
def _rows_by_code_place() -> Mapping[int, list[int]]:
    """Pattern numbers by the slot in which their province code begins."""
    places: dict[int, list[int]] = {}
    for row, pattern in enumerate(_patterns()):
        if pattern.code_at is not None:
            places.setdefault(pattern.code_at, []).append(row)
    return places


def _expression(pattern: _Pattern) -> re.Pattern[str]:
    parts = ["".join(ALPHABET[i] for i in row.nonzero()[0] if i < BLANK) for row in pattern.allowed]
    sets = [f"[{part}]" for part in parts[: pattern.length]]
    if pattern.code_at is not None:
        sets[pattern.code_at : pattern.code_at + 2] = [f"(?:{'|'.join(PROVINCE_CODES)})"]
    return re.compile("".join(sets))


def _fitting_rows(text: str) -> list[int]:
    """Numbers of the patterns that a text fits."""
    rows = _rows_by_length().get(len(text), ())
    return [row for row, expression in rows if expression.fullmatch(text)]


def _pattern_weights(
    layouts: Mapping[PlateLayout, float] | None, colours: Mapping[PlateColour, float] | None
) -> _Table:
    """How much each pattern is believed before its characters are looked at."""
    weights = []
    for pattern in _patterns():
        known = pattern.plate_format
        weight = known.weight
        if layouts is not None:
            weight *= max(_MISMATCH, sum(layouts.get(layout, 0.0) for layout in known.layouts))
        if colours is not None:
            share = sum(colours.get(colour, 0.0) for colour in known.colours)
            weight *= max(_MISMATCH, share + colours.get(PlateColour.UNKNOWN, 0.0))
        weights.append(weight)
    return np.array(weights)


def _code_scores(lent: _Table, code_at: int) -> _Table:
    codes = _code_indices()
    return np.asarray(lent[code_at, codes[:, 0]] * lent[code_at + 1, codes[:, 1]])


def _pattern_scores(
    lent: _Table,
) -> tuple[_Table, _Table]:
    """Per pattern: probability that any of its texts is right, and that of its best text."""
    kept = lent[None] * _allowed()
    masses, bests = kept.sum(axis=2), kept.max(axis=2)
    for code_at, rows in _rows_by_code_place().items():
        scores = _code_scores(lent, code_at)
        masses[rows, code_at], bests[rows, code_at] = scores.sum(), scores.max()
        masses[rows, code_at + 1], bests[rows, code_at + 1] = 1.0, 1.0
    return masses.prod(axis=1), bests.prod(axis=1)


def _candidates(lent: _Table, weights: _Table, bests: _Table) -> dict[str, float]:
    """Best texts of the best patterns with their weighted probabilities."""
    scores = weights * bests
    order = np.argsort(-scores, kind="stable")[:_PATTERNS_SEARCHED]
    texts: dict[str, float] = {}
    for row in order:
        if scores[row] > scores[order[0]] * _PRUNED_BELOW:
            texts.update(_beam(lent, _patterns()[int(row)]))
    return {
        text: probability * float(weights[_fitting_rows(text)].sum())
        for text, probability in texts.items()
        if probability > 0.0
    }


def _beam(lent: _Table, pattern: _Pattern) -> list[tuple[str, float]]:
    """Most probable texts of one pattern, best first, with their probabilities."""
    tail = float(np.prod(lent[pattern.length :, BLANK]))
    beam = [("", tail)]
    slot = 0
    while slot < pattern.length:
        if slot == pattern.code_at:
            scores = _code_scores(lent, slot)
            order = np.argsort(-scores, kind="stable")[:_CHOICES_PER_SLOT]
            choices = [(PROVINCE_CODES[int(i)], float(scores[i])) for i in order]
            slot += 2
        else:
            row = lent[slot, :BLANK] * pattern.allowed[slot, :BLANK]
            order = np.argsort(-row, kind="stable")[:_CHOICES_PER_SLOT]
            choices = [(ALPHABET[int(i)], float(row[i])) for i in order if row[i] > 0]
            slot += 1
        grown = [(text + more, p * q) for text, p in beam for more, q in choices]
        floor = _PRUNED_BELOW * max(probability for _, probability in grown)
        kept = [item for item in grown if item[1] >= floor]
        beam = sorted(kept, key=lambda item: -item[1])[:_BEAM_WIDTH]
    return beam
