# SPDX-License-Identifier: AGPL-3.0-or-later
"""Examples of questions for vehicles seen together; everything in them is made up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

ANSWERS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "find_companions": {
            "companions": [
                {
                    "plate_text": "20C12346",
                    "sites": 4,
                    "meetings": 9,
                    "days": 3,
                    "first_at": "2026-11-02T01:02:03Z",
                    "last_at": "2026-11-28T01:02:03Z",
                }
            ]
        }
    }
)
"""What every address answers."""

BODIES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "find_companions": {
            "plate": "20C-123.45",
            "captured_from": "2026-11-01T00:00:00+07:00",
            "captured_until": "2026-12-01T00:00:00+07:00",
            "purpose": "violation_case",
            "case_reference": None,
        }
    }
)
"""What an address takes, where it takes JSON."""
