# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dates, instants, amounts and numbers as official Vietnamese papers write them."""

from datetime import date, datetime
from typing import Final

from central.domain.local_time import to_local

MONTHS_WITH_ZERO: Final = 2
DAYS_WITH_ZERO: Final = 9
"""Days up to 9 and months up to 2 are written with a zero (NĐ 30/2020/NĐ-CP, Annex I)."""


def date_words(day: date) -> str:
    """A date as official papers write it: ``ngày 05 tháng 02 năm 2027``."""
    day_words = f"{day.day:02}" if day.day <= DAYS_WITH_ZERO else str(day.day)
    month_words = f"{day.month:02}" if day.month <= MONTHS_WITH_ZERO else str(day.month)
    return f"ngày {day_words} tháng {month_words} năm {day.year}"


def moment_words(instant: datetime) -> str:
    """An instant on Vietnam's clock: ``08 giờ 05 phút, ngày 05 tháng 02 năm 2027``."""
    local = to_local(instant)
    return f"{local.hour:02} giờ {local.minute:02} phút, {date_words(local.date())}"


def money_words(amount_dong: int) -> str:
    """An amount: ``200.000 đồng``."""
    return f"{whole_number(amount_dong)} đồng"


def whole_number(number: int) -> str:
    """A number: ``200.000``."""
    return f"{number:,}".replace(",", ".")


def short_date(day: date) -> str:
    """A date in figures: ``05/02/2027``."""
    return f"{day.day:02}/{day.month:02}/{day.year}"
