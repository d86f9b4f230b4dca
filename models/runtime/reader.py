# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading plates: crops in, texts with honest probabilities out.

A crop goes through two networks: the first finds the plate's corners, between
which the plate is stretched flat; the second reads it. The grammar then looks
for the legal text, and a calibration fitted on other plates says how far it
may be believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from models.errors import ModelFormatError
from models.runtime.believing import Belief, softmax
from models.runtime.corners import PlateCorners
from models.runtime.grammar import CLASSES, decode
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader_input import MAX_BATCH, flattened_crops
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

OUTPUTS: Final = ("characters", "layout", "colour", "legible", "genuine")
_COLOUR_MIN: Final = 0.6
"""Below that the background counts as unknown; higher names fewer colours wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the network said of one flattened plate, before anything is believed.

    Attributes:
        characters: Logits, shape ``(slots, classes)``.
        layouts: Probability of each layout.
        colours: Probability of each background.
        legible: Logit that the picture can be read at all.
        genuine: Logit that it shows a Vietnamese plate.
    """

    characters: FloatArray
    layouts: dict[PlateLayout, float]
    colours: dict[PlateColour, float]
    legible: float
    genuine: float


class PlateReader:
    """The plate reader with its weights; not to be shared between threads."""

    def __init__(self, model: ModelFile, session: Session, *, corners: PlateCorners) -> None:
        config = model.config
        self._digest = model.sha256
        self._session = session
        self._corners = corners
        self._height_px = config.whole_number("input_height_px")
        self._width_px = config.whole_number("input_width_px")
        self._belief = Belief.from_registry(config)
        self._layouts = tuple(PlateLayout(name) for name in config.texts("layouts"))
        self._colours = tuple(PlateColour(name) for name in config.texts("colours"))
        is_same = config.text("alphabet") == ALPHABET and config.text("colour_order") == "bgr"
        if not is_same or config.whole_number("slots") != MAX_PLATE_LENGTH:
            raise ModelFormatError(f"model {model.name}: alphabet, slots or colour order differ")
        if not self._layouts or not self._colours:
            raise ModelFormatError(f"model {model.name}: layouts or colours are empty")
        missing = set(OUTPUTS) - set(session.output_names)
        if missing:
            raise ModelFormatError(f"model {model.name} lacks outputs {sorted(missing)}")

    @classmethod
    def open(
        cls, *, backend: Backend = Backend.AUTO, threads: int = 1, folder: Path | None = None
    ) -> Self:
        """Load the reader and the corner network that the registry names.

        Args:
            backend: Inference library.
            threads: Threads of one inference.
            folder: Folder with registry and weights; ``None`` is the package's own.

        Raises:
            ModelsError: If a model is absent, changed, or can not be run.
        """
        model = load_model(PLATE_READER, folder=folder)
        session = open_session(model.path, backend=backend, threads=threads)
        corners = PlateCorners.open(backend=backend, threads=threads, folder=folder)
        return cls(model, session, corners=corners)

    @property
    def digest(self) -> str:
        """SHA-256 of the reading network's weights, 64 hexadecimal characters."""
        return self._digest

    @property
    def corners_digest(self) -> str:
        """SHA-256 of the corner network's weights."""
        return self._corners.digest

    @property
    def backend(self) -> Backend:
        """Library that runs the networks, never ``AUTO``."""
        return self._session.backend

    @property
    def answer_from(self) -> float:
        """Confidence from which a reading counts as an answer; below, the reader abstains."""
        return self._belief.answer_from

    def read(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        """Read crops of plates.

        Args:
            crops: Pictures of one plate each, BGR, any size, any number; tight
                or with surroundings, upright or tilted.

        Returns:
            One reading per crop in the same order; an illegible plate and what
            is no Vietnamese plate give a reading of low confidence, its text
            possibly empty.

        Raises:
            InvalidImageError: If a crop is no colour picture.
        """
        return [self._reading(look) for look in self.look(crops)]

    def look(self, crops: Sequence[BgrImage]) -> list[Look]:
        """What the network sees on crops, as :meth:`read` takes them."""
        looks: list[Look] = []
        for start in range(0, len(crops), MAX_BATCH):
            looks += self._look_at(crops[start : start + MAX_BATCH])
        return looks

    def _look_at(self, crops: Sequence[BgrImage]) -> list[Look]:
        batch = flattened_crops(
            crops, self._corners.find(crops), height_px=self._height_px, width_px=self._width_px
        )
        results = dict(zip(self._session.output_names, self._session.run(batch), strict=True))
        characters, layouts, colours, legible, genuine = (results[name] for name in OUTPUTS)
        if characters.shape[1:] != (MAX_PLATE_LENGTH, CLASSES):
            raise ModelFormatError("the plate reader's output has another shape than its config")
        layouts, colours = softmax(layouts), softmax(colours)
        return [
            Look(
                characters=characters[i],
                layouts=dict(zip(self._layouts, layouts[i].tolist(), strict=True)),
                colours=dict(zip(self._colours, colours[i].tolist(), strict=True)),
                legible=float(legible.reshape(-1)[i]),
                genuine=float(genuine.reshape(-1)[i]),
            )
            for i in range(len(crops))
        ]

    def _reading(self, look: Look) -> PlateReading:
        return reading_of(look, belief=self._belief)


def reading_of(look: Look, *, belief: Belief) -> PlateReading:
    """The reading that follows from what the network saw and how far it is believed."""
    slots = belief.slot_probabilities(look.characters, legible=look.legible)
    decoded = decode(slots, layouts=look.layouts, colours=look.colours)
    colour = max(look.colours, key=lambda one: look.colours[one])
    return PlateReading(
        raw_text=decoded.raw_text,
        text=decoded.text,
        char_confidences=decoded.char_confidences,
        confidence=belief.confidence(decoded.confidence, genuine=look.genuine),
        alternatives=decoded.alternatives,
        layout=max(look.layouts, key=lambda one: look.layouts[one]),
        colour=colour if look.colours[colour] >= _COLOUR_MIN else PlateColour.UNKNOWN,
        is_legal=decoded.is_legal,
        slot_probabilities=slots,
        genuineness=belief.genuineness(look.genuine),
    )
