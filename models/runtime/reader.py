# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading plates: crops in, texts with honest probabilities out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from models.errors import ModelFormatError
from models.runtime.grammar import CLASSES, decode
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader_input import MAX_BATCH, prepare_crops
from models.runtime.registry import PLATE_READER, ModelFile, load_model
from models.runtime.sessions import Session, open_session
from models.runtime.values import (
    Backend,
    BgrImage,
    FloatArray,
    PlateColour,
    PlateLayout,
    PlateReading,
)

OUTPUTS: Final = ("characters", "layout", "colour", "legible")
_COLOUR_MIN: Final = 0.6
"""Below that the background counts as unknown; higher names fewer colours wrongly."""


class PlateReader:
    """The plate reader with its weights; not to be shared between threads."""

    def __init__(self, model: ModelFile, session: Session) -> None:
        config = model.config
        self._digest = model.sha256
        self._session = session
        self._height_px = config.whole_number("input_height_px")
        self._width_px = config.whole_number("input_width_px")
        self._temperature = config.number("temperature")
        self._doubt = config.number("doubt")
        self._layouts = tuple(PlateLayout(name) for name in config.texts("layouts"))
        self._colours = tuple(PlateColour(name) for name in config.texts("colours"))
        is_same = config.text("alphabet") == ALPHABET and config.text("colour_order") == "bgr"
        if not is_same or config.whole_number("slots") != MAX_PLATE_LENGTH:
            raise ModelFormatError(f"model {model.name}: alphabet, slots or colour order differ")
        if not self._layouts or not self._colours:
            raise ModelFormatError(f"model {model.name}: layouts or colours are empty")
        if self._temperature <= 0 or not 0.0 <= self._doubt < 1.0:
            raise ModelFormatError(f"model {model.name}: temperature or doubt is out of range")
        missing = set(OUTPUTS) - set(session.output_names)
        if missing:
            raise ModelFormatError(f"model {model.name} lacks outputs {sorted(missing)}")

    @classmethod
    def open(
        cls, *, backend: Backend = Backend.AUTO, threads: int = 1, folder: Path | None = None
    ) -> Self:
        """Load the reader that the registry names.

        Args:
            backend: Inference library.
            threads: Threads of one inference.
            folder: Folder with registry and weights; ``None`` is the package's own.

        Raises:
            ModelsError: If the model is absent, changed, or can not be run.
        """
        model = load_model(PLATE_READER, folder=folder)
        return cls(model, open_session(model.path, backend=backend, threads=threads))

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, 64 hexadecimal characters."""
        return self._digest

    @property
    def backend(self) -> Backend:
        """Library that runs the network, never ``AUTO``."""
        return self._session.backend

    def read(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        """Read crops of plates.

        Args:
            crops: Pictures of one plate each, BGR, any size, any number.

        Returns:
            One reading per crop in the same order; an illegible plate gives a
            reading of low confidence, its text possibly empty.

        Raises:
            InvalidImageError: If a crop is no colour picture.
        """
        readings: list[PlateReading] = []
        for start in range(0, len(crops), MAX_BATCH):
            readings += self._read_batch(crops[start : start + MAX_BATCH])
        return readings

    def _read_batch(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        batch = prepare_crops(crops, height_px=self._height_px, width_px=self._width_px)
        results = dict(zip(self._session.output_names, self._session.run(batch), strict=True))
        characters, layouts, colours, legible = (results[name] for name in OUTPUTS)
        if characters.shape[1:] != (MAX_PLATE_LENGTH, CLASSES):
            raise ModelFormatError("the plate reader's output has another shape than its config")
        slots = believable_probabilities(
            characters, legible, temperature=self._temperature, doubt=self._doubt
        )
        layouts, colours = softmax(layouts), softmax(colours)
        return [self._reading(slots[i], layouts[i], colours[i]) for i in range(len(crops))]

    def _reading(self, slots: FloatArray, layouts: FloatArray, colours: FloatArray) -> PlateReading:
        layout = self._layouts[int(layouts.argmax())]
        is_clear = float(colours.max()) >= _COLOUR_MIN
        colour = self._colours[int(colours.argmax())] if is_clear else PlateColour.UNKNOWN
        decoded = decode(
            slots,
            layouts=dict(zip(self._layouts, layouts.tolist(), strict=True)),
            colours=dict(zip(self._colours, colours.tolist(), strict=True)),
        )
        return PlateReading(
            raw_text=decoded.raw_text,
            text=decoded.text,
            char_confidences=decoded.char_confidences,
            confidence=decoded.confidence,
            alternatives=decoded.alternatives,
            layout=layout,
            colour=colour,
            is_legal=decoded.is_legal,
            slot_probabilities=slots,
        )


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def believable_probabilities(
    logits: FloatArray, legible: FloatArray, *, temperature: float, doubt: float
) -> FloatArray:
    """Soften a network's logits to what its errors on other plates justify.

    Args:
        logits: Characters, shape ``(n, slots, classes)``.
        legible: Logit that the crop can be read at all, shape ``(n,)``; only
            a crop that is rather illegible than legible is softened by it.
        temperature: Above 1 softens every probability, below 1 sharpens.
        doubt: Share given to all classes alike, in [0, 1); bounds how sure a
            slot may be.

    Returns:
        Shape ``(n, slots, classes)``, rows sum to 1.
    """
    soft = softmax(np.asarray(logits / temperature, dtype=np.float32))
    readable = 1.0 / (1.0 + np.exp(-legible.reshape(-1, 1, 1).astype(np.float64)))
    kept = (1.0 - doubt) * np.minimum(1.0, 2.0 * readable)
    return np.asarray(soft * kept + (1.0 - kept) / logits.shape[-1], dtype=np.float32)
