# SPDX-License-Identifier: AGPL-3.0-or-later
"""Money is whole đồng, an int: never a float, and nothing is ever rounded."""

import re
from typing import Final

SYMBOL: Final = "₫"
DIGITS_MAX: Final = 12
_WHOLE: Final = re.compile(rf"[0-9]{{1,{DIGITS_MAX}}}")


def parse_dong(text: str) -> int:
    """Read an amount as files state it: digits only.

    Separators are refused on purpose: ``35.000`` is thirty-five thousand in Vietnam and
    thirty-five elsewhere.

    Raises:
        ValueError: It holds anything but 1 to 12 digits.
    """
    plain = text.strip()
    if _WHOLE.fullmatch(plain) is None:
        raise ValueError(f"an amount has 1 to {DIGITS_MAX} digits and nothing else")
    return int(plain)


def dong_text(amount_dong: int) -> str:
    """An amount for a terminal or a log, with Vietnam's separators: ``1.234.567 ₫``."""
    return f"{amount_dong:,}".replace(",", ".") + f" {SYMBOL}"
