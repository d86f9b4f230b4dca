# SPDX-License-Identifier: AGPL-3.0-or-later
"""Languages of the pages: texts from gettext catalogues, numbers and times from Babel.

Catalogues are read from their ``.po`` files, so nothing has to be compiled before a start.
"""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from central.domain.local_time import LOCAL_ZONE

MISSING: Final = "—"


class Language(StrEnum):
    """A language of the pages."""

    VI = "vi"
    EN = "en"


LANGUAGE_NAMES: Final[Mapping[Language, str]] = MappingProxyType(
    {Language.VI: "Tiếng Việt", Language.EN: "English"}
)
_LOCALES: Final[Mapping[Language, str]] = MappingProxyType(
    {Language.VI: "vi_VN", Language.EN: "en_GB"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One language: its texts, and how it writes times, numbers and durations."""

    language: Language
    texts: gettext.NullTranslations
    locale: Locale

    def text(self, message: str) -> str:
        """A text in this language."""
        return self.texts.gettext(message)

    def time(self, instant: datetime) -> str:
        """Vietnam time of day, to the second."""
        return self._formatted(instant, "HH:mm:ss")

    def exact_time(self, instant: datetime) -> str:
        """Vietnam time and date, to the millisecond."""
        return self._formatted(instant, "HH:mm:ss.SSS dd/MM/yyyy")

    def local_date(self, instant: datetime) -> str:
        """Vietnam date."""
        return self._formatted(instant, "dd/MM/yyyy")

    def time_and_date(self, instant: datetime) -> str:
        """Vietnam time and date, to the second."""
        return self._formatted(instant, "HH:mm:ss dd/MM/yyyy")

    def minute(self, instant: datetime) -> str:
        """Vietnam time of day, to the minute: for what people agreed on, not for what was seen."""
        return self._formatted(instant, "HH:mm")

    def minute_and_date(self, instant: datetime) -> str:
        """Vietnam time and date, to the minute."""
        return self._formatted(instant, "HH:mm dd/MM/yyyy")

    def number(self, value: float) -> str:
        """A number with this language's separators."""
        return format_decimal(value, locale=self.locale)

    def money(self, amount_dong: int) -> str:
        """An amount of money in đồng, with thousands separators."""
        return f"{format_decimal(amount_dong, locale=self.locale)} ₫"

    def day(self, day: date) -> str:
        """A calendar date."""
        return format_date(day, "dd/MM/yyyy", locale=self.locale)

    def percent(self, share: float) -> str:
        """A share in [0, 1] with one decimal, never rounded up to 100 %."""
        return format_percent(int(share * 1000) / 1000, "#,##0.0%", locale=self.locale)

    def duration(self, length: timedelta) -> str:
        """A length of time in its largest fitting unit."""
        seconds = abs(length.total_seconds())
        for unit, size_s in (("day", 86_400), ("hour", 3600), ("minute", 60)):
            if seconds >= size_s:
                return format_unit(
                    int(seconds // size_s), f"duration-{unit}", "short", locale=self.locale
                )
        digits = "0.0" if seconds < 10 else "0"  # noqa: PLR2004 - one decimal below ten seconds
        return format_unit(seconds, "duration-second", "short", format=digits, locale=self.locale)

    def ago(self, length: timedelta) -> str:
        """How long ago something was, as "12 seconds ago"."""
        return format_timedelta(-length, threshold=1.5, add_direction=True, locale=self.locale)

    def _formatted(self, instant: datetime, pattern: str) -> str:
        return format_datetime(instant, pattern, tzinfo=LOCAL_ZONE, locale=self.locale)


def load_speeches(folder: Path) -> Mapping[Language, Speech]:
    """Read the catalogues of every language, one folder per language.

    A language may have several files, one per part of the pages; together they are its texts.
    """
    return MappingProxyType({language: _load(folder, language) for language in Language})


def catalogue_files(folder: Path, language: Language) -> list[Path]:
    """The files in which a language's texts stand, in order of their names."""
    return sorted((folder / language.value / "LC_MESSAGES").glob("*.po"))


def read_catalogue(folder: Path, language: Language) -> Catalog:
    """Every text of a language.

    Raises:
        ValueError: Two files translate the same text differently.
    """
    catalogue = Catalog(locale=language.value)
    for path in catalogue_files(folder, language):
        with path.open("rb") as file:
            part = read_po(file, locale=language.value, abort_invalid=True)
        for message in part:
            if not message.id:
                continue
            known = catalogue.get(message.id)
            if known is not None and known.string != message.string:
                raise ValueError(f"{path.name}: another file translates {message.id!r} differently")
            catalogue[message.id] = message
    return catalogue


def _load(folder: Path, language: Language) -> Speech:
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(folder, language))
    compiled.seek(0)
    return Speech(
        language=language,
        texts=gettext.GNUTranslations(compiled),
        locale=Locale.parse(_LOCALES[language]),
    )
