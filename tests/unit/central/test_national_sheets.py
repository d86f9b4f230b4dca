# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sheets of figures and the settings of who hands them up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from central.national.pushing.sending import sheet_path
from central.national.types import Sheet, SheetKind, StationTolls
from central.national_settings import NationalSettings

MIDNIGHT = datetime(2026, 11, 26, 17, tzinfo=UTC)  # of the 27th in Vietnam
ROWS = tuple(
    StationTolls(station_id=each, revision=1, crossings=2, charged=2, charged_dong=70_000)
    for each in ("tram-01", "tram-02")
)


def sheet(
    *,
    kind: SheetKind = SheetKind.TOLL_DAY,
    starts_at: datetime = MIDNIGHT,
    rows: tuple[StationTolls, ...] = ROWS,
) -> Sheet:
    return Sheet(kind=kind, starts_at=starts_at, revised_at=MIDNIGHT + timedelta(days=1), rows=rows)


def test_the_order_of_rows_and_the_time_of_revision_change_no_content() -> None:
    assert sheet().content_sha256 == sheet(rows=ROWS[::-1]).content_sha256
    assert sheet().content_sha256 != sheet(rows=ROWS[:1]).content_sha256


@pytest.mark.parametrize(
    ("kind", "late_by"),
    [(SheetKind.TOLL_DAY, timedelta(hours=1)), (SheetKind.TRAFFIC_HOUR, timedelta(minutes=30))],
)
def test_a_sheet_begins_with_its_hour_or_its_day_in_vietnam(
    kind: SheetKind, late_by: timedelta
) -> None:
    sheet(kind=kind, rows=())
    with pytest.raises(ValueError, match="begins with"):
        sheet(kind=kind, starts_at=MIDNIGHT + late_by, rows=())


def test_an_hour_is_named_in_utc_and_a_day_as_it_is_in_vietnam() -> None:
    hour = sheet(kind=SheetKind.TRAFFIC_HOUR, rows=())

    assert sheet_path("ha-noi", hour) == "/v1/national/ha-noi/traffic/2026-11-26T17:00:00Z"
    assert sheet_path("ha-noi", sheet()) == "/v1/national/ha-noi/tolls/2026-11-27"


@pytest.mark.parametrize(
    "some",
    [
        {"url": "https://national.example.vn"},
        {"url": "http://national.example.vn", "key_file": "key", "province": "ha-noi"},
        {"url": "https://a:b@national.example.vn", "key_file": "key", "province": "ha-noi"},
        {"key_file": "key", "province": "ha-noi"},
    ],
)
def test_figures_go_up_by_https_with_a_key_and_a_province_or_not_at_all(
    some: dict[str, str],
) -> None:
    with pytest.raises(ValidationError):
        NationalSettings.model_validate(some)

    assert NationalSettings().url is None
    whole = {"url": "https://national.example.vn", "key_file": "key", "province": "ha-noi"}
    assert NationalSettings.model_validate(whole).key_file == Path("key")
