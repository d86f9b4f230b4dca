# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every failure as a picture, sorted by what probably caused it, for a person to look at.

It shows real plates. So it is written only where somebody asks for it, never
into the project, and what goes there belongs to whoever asked.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.datasets.pool import PROJECT_FOLDER
from models.errors import DatasetError
from models.evaluation.detection import Outcome, match, read_picture
from models.evaluation.pages.report_page import page
from models.evaluation.reading import ReadCase
from models.runtime.grammar import CONFUSABLE_GROUPS
from models.runtime.values import BgrImage, BoxPx

MAX_PER_CAUSE: Final = 400
SURE_OF_ANOTHER_TEXT: Final = 0.95
"""A reading this sure of something else than the label makes the label doubtful."""
_TILTED: Final = frozenset({"10 to 20 degrees", "from 20 degrees"})
_TINY: Final = "0 to 14 px"
_SHOWN_HEIGHT_PX: Final = 120
_JPEG_QUALITY: Final = 90
_GIT_TIMEOUT_S: Final = 20
_FOUND_BGR: Final = (60, 180, 60)
_MISSED_BGR: Final = (40, 40, 220)
_FALSE_BGR: Final = (0, 150, 255)
_SECRET_MODE: Final = 0o700


class Cause(StrEnum):
    """What probably made a reading fail; a guess from the picture and the texts."""

    LABEL = "label doubtful: a person or a sure reader sees another text"
    DARK = "dark"
    BLUR = "blurred"
    TILT = "tilted"
    TINY = "tiny glyphs"
    LENGTH = "a character too many or too few"
    CONFUSABLE = "confusable pair"
    OTHER = "another character"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What was written.

    Attributes:
        page: The page to open.
        counts: Failures by cause, most frequent first.
    """

    page: Path
    counts: Mapping[str, int]


def require_private_folder(folder: Path, *, project: Path = PROJECT_FOLDER) -> Path:
    """The folder, made if need be, readable by its owner only.

    Raises:
        DatasetError: It lies inside the project and git would not ignore it,
            or it is a file.
    """
    folder = folder.resolve()
    if folder.is_relative_to(project.resolve()) and not _is_ignored(folder, project=project):
        raise DatasetError(
            "a gallery shows real plates and may not lie inside the project;"
            " name a folder outside of it, or one below runs/"
        )
    if folder.exists() and not folder.is_dir():
        raise DatasetError("the gallery's place is a file, not a folder")
    folder.mkdir(mode=_SECRET_MODE, parents=True, exist_ok=True)
    return folder


def write_gallery(
    folder: Path,
    *,
    cases: Sequence[ReadCase],
    outcomes: Mapping[str, Sequence[Outcome]],
    pool: Path,
    min_confidences: Mapping[str, float],
) -> Gallery:
    """Write every failure's picture and a page that shows them.

    Args:
        folder: Where to; see :func:`require_private_folder`.
        cases: Crops that were read, right ones too.
        outcomes: Pictures that detectors saw, by model; right ones too.
        pool: Folder of real pictures.
        min_confidences: Threshold of each detector.

    Raises:
        DatasetError: The folder may not hold real plates, or a picture is gone.
    """
    folder = require_private_folder(folder)
    cards: dict[str, list[str]] = {}
    for number, case in enumerate(one for one in cases if not one.is_right):
        name = f"reading-{number:04d}.png"
        _write(folder / name, case.image)
        cards.setdefault(f"reading: {guess_cause(case).value}", []).append(
            _reading_card(name, case)
        )
    for model, seen in outcomes.items():
        for number, outcome in enumerate(seen):
            drawn = _drawn_failure(outcome, pool=pool, min_confidence=min_confidences[model])
            if drawn is None:
                continue
            name = f"{model}-{number:04d}.jpg"
            cause, image, text = drawn
            _write(folder / name, image)
            cards.setdefault(f"{model}: {cause}", []).append(_card(name, escape(text)))
    counts = dict(sorted(((k, len(v)) for k, v in cards.items()), key=lambda one: -one[1]))
    path = folder / "index.html"
    path.write_text(_gallery_page(cards, counts), encoding="utf-8")
    return Gallery(page=path, counts=counts)


def guess_cause(case: ReadCase) -> Cause:
    """The likeliest cause: a doubtful label first, then what the picture shows, then the texts."""
    reading, facets = case.reading, case.facets
    is_sure = reading.is_legal and reading.confidence >= SURE_OF_ANOTHER_TEXT
    if is_sure or facets.get("label") == "doubtful":
        return Cause.LABEL
    looks = (
        (facets.get("light") == "night", Cause.DARK),
        (facets.get("blur") == "blurred", Cause.BLUR),
        (facets.get("tilt") in _TILTED, Cause.TILT),
        (facets.get("glyphs") == _TINY, Cause.TINY),
        (len(case.text) != len(reading.text), Cause.LENGTH),
    )
    for is_so, cause in looks:
        if is_so:
            return cause
    pairs = [{a, b} for a, b in zip(case.text, reading.text, strict=True) if a != b]
    is_confusable = all(any(pair <= set(group) for group in CONFUSABLE_GROUPS) for pair in pairs)
    return Cause.CONFUSABLE if is_confusable else Cause.OTHER


def _is_ignored(folder: Path, *, project: Path) -> bool:
    git = shutil.which("git")
    if git is None:
        return False
    finished = subprocess.run(
        [git, "check-ignore", "--quiet", "--no-index", f"{folder}/index.html"],
        cwd=project,
        check=False,
        capture_output=True,
        timeout=_GIT_TIMEOUT_S,
    )
    return finished.returncode == 0


def _drawn_failure(
    outcome: Outcome, *, pool: Path, min_confidence: float
) -> tuple[str, BgrImage, str] | None:
    """What went wrong in a picture, the picture with its boxes, and words; ``None`` if nothing."""
    reported = [one for one in outcome.detections if one.confidence >= min_confidence]
    matches = match(outcome.truths, reported)
    missed = [
        truth.box_px
        for truth, label in zip(outcome.truths, matches.found_as, strict=True)
        if label is None
    ]
    false = [one.box_px for one, right in zip(reported, matches.is_right, strict=True) if not right]
    if not (missed or false) or not outcome.file:
        return None
    image = read_picture(pool / outcome.file).copy()
    right = [one.box_px for one, ok in zip(reported, matches.is_right, strict=True) if ok]
    for boxes, colour in ((right, _FOUND_BGR), (missed, _MISSED_BGR), (false, _FALSE_BGR)):
        _draw(image, boxes, colour)
    cause = "missed and false" if missed and false else "missed" if missed else "false"
    return (
        cause,
        image,
        f"{outcome.source}: {len(missed)} missed (red), {len(false)} false (orange)",
    )


def _draw(image: BgrImage, boxes: Sequence[BoxPx], colour: tuple[int, int, int]) -> None:
    for box in boxes:
        low, high = (round(box.x_min), round(box.y_min)), (round(box.x_max), round(box.y_max))
        cv2.rectangle(image, low, high, colour, 2)


def _write(path: Path, image: BgrImage) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
    encoded = cv2.imencode(path.suffix, image, quality)[1]
    path.write_bytes(np.asarray(encoded).tobytes())


def _reading_card(name: str, case: ReadCase) -> str:
    reading = case.reading
    facets = ", ".join(f"{key} {value}" for key, value in case.facets.items())
    lines = (
        f"label <b>{escape(case.text)}</b>",
        f"read <b>{_marked(reading.text, case.text)}</b> with {reading.confidence:.3f}",
        f"raw {escape(reading.raw_text)}",
        f"<small>{escape(facets)}</small>",
    )
    return _card(name, "<br>".join(lines))


def _marked(text: str, truth: str) -> str:
    """A reading with the characters marked that differ from the label at their place."""
    padded = truth.ljust(len(text))
    return "".join(
        escape(a) if a == b else f"<mark>{escape(a)}</mark>"
        for a, b in zip(text, padded, strict=False)
    )


def _card(name: str, words: str) -> str:
    picture = f'<a href="{name}"><img src="{name}" height="{_SHOWN_HEIGHT_PX}" alt=""></a>'
    return f"<figure>{picture}<figcaption>{words}</figcaption></figure>"


def _gallery_page(cards: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> str:
    words = (
        "Real plates: keep this folder to yourself and delete it when you have looked. The cause"
        " is a guess; labels are those of the pool, of which 1 to 2 % are slips."
    )
    parts = [f"<h1>Failures</h1><p class='note'>{words}</p>"]
    for cause, count in counts.items():
        shown = "".join(cards[cause][:MAX_PER_CAUSE])
        parts.append(f"<h2>{escape(cause)}: {count}</h2>{shown}")
    return page("Failures", "\n".join(parts))
