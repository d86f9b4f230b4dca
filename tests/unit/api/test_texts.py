# SPDX-License-Identifier: AGPL-3.0-or-later
"""Catalogues are complete, and numbers and times are written as people here read them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from api.console.parts import CATALOGUE_FOLDER
from api.pages.i18n import Language, load_speeches, read_catalogue
from api.public.parts import CATALOGUE_FOLDER as PUBLIC_FOLDER

CATALOGUES = (CATALOGUE_FOLDER, PUBLIC_FOLDER)
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {
    "templates/**.html": {
        "encoding": "utf-8",
        "silent": "false",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "newstyle_gettext": "true",
    }
}
SPEECHES = load_speeches(CATALOGUE_FOLDER)


def _used_texts(folder: Path) -> set[str]:
    found = extract_from_dir(folder.parent, METHODS, OPTIONS)
    return {str(message) for _file, _line, message, _comments, _context in found}


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: folder.parent.name)
@pytest.mark.parametrize("language", list(Language))
def test_a_catalogue_holds_exactly_the_texts_in_use(folder: Path, language: Language) -> None:
    catalogue = read_catalogue(folder, language)

    translated = {str(message.id) for message in catalogue if message.id and message.string}

    assert translated == _used_texts(folder)
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: folder.parent.name)
@pytest.mark.parametrize("language", list(Language))
def test_a_translation_keeps_its_placeholders(folder: Path, language: Language) -> None:
    catalogue = read_catalogue(folder, language)

    for message in catalogue:
        wanted, got = (
            sorted(re.findall(r"%\(\w+\)[sd]|\{\w+\}", str(text)))
            for text in (message.id, message.string)
        )
        assert got == wanted, message.id


def test_times_are_vietnams() -> None:
    at = datetime(2026, 11, 22, 17, 4, 5, 678_000, tzinfo=UTC)

    speech = SPEECHES[Language.VI]

    assert speech.time(at) == "00:04:05"
    assert speech.local_date(at) == "23/11/2026"
    assert speech.exact_time(at) == "00:04:05.678 23/11/2026"


@pytest.mark.parametrize(
    ("share", "vietnamese", "english"),
    [
        (0.991, "99,1%", "99.1%"),
        (0.99999, "99,9%", "99.9%"),  # never rounded up to certainty
        (1.0, "100,0%", "100.0%"),
        (0.0, "0,0%", "0.0%"),
    ],
)
def test_a_share_is_never_rounded_up_to_certainty(
    share: float, vietnamese: str, english: str
) -> None:
    assert SPEECHES[Language.VI].percent(share) == vietnamese
    assert SPEECHES[Language.EN].percent(share) == english


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(milliseconds=340), "0,3 giây"),
        (timedelta(seconds=42), "42 giây"),
        (timedelta(minutes=5), "5 phút"),
        (timedelta(hours=30), "1 ngày"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(length: timedelta, text: str) -> None:
    assert SPEECHES[Language.VI].duration(length) == text


def test_every_file_of_the_catalogues_is_a_language() -> None:
    for folder in CATALOGUES:
        assert {path.name for path in folder.iterdir() if path.is_dir()} == set(Language)
