# SPDX-License-Identifier: AGPL-3.0-or-later
"""Examples of the addresses about figures of provinces; everything in them is made up."""

from typing import Any, Final

_AT: Final = "2026-11-28T01:02:05Z"
_DAY: Final[dict[str, Any]] = {
    "day": "2026-11-27",
    "hours": 24,
    "passages": 19_488,
    "plates_read": 18_960,
    "motorcycles": 14_424,
    "cars": 3840,
    "buses": 264,
    "trucks": 960,
    "charged": 9101,
    "charged_dong": 318_535_000,
    "due_count": 1204,
    "stored_count": 1203,
    "gap_count": 1,
}

ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "put_national_traffic": {"outcome": "stored"},
    "put_national_tolls": {"outcome": "stored"},
    "put_national_completeness": {"outcome": "unchanged"},
    "list_national_provinces": {
        "provinces": [
            {
                "code": "thai-nguyen",
                "name": "Thái Nguyên",
                "accepted_at": _AT,
                "traffic_until": "2026-11-28T01:00:00Z",
                "figures": _DAY,
            }
        ],
        "next_cursor": None,
    },
    "list_national_days": {
        "province": "thai-nguyen",
        "name": "Thái Nguyên",
        "days": [_DAY],
        "next_cursor": None,
    },
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "put_national_traffic": {
        "revised_at": _AT,
        "rows": [
            {
                "site_id": "cau-gia-bay",
                "passages": 812,
                "plates_read": 790,
                "late": 0,
                "motorcycles": 601,
                "cars": 160,
                "buses": 11,
                "trucks": 40,
            }
        ],
    },
    "put_national_tolls": {
        "revised_at": _AT,
        "rows": [
            {
                "station_id": "tram-01",
                "revision": 1,
                "crossings": 9120,
                "charged": 9101,
                "charged_dong": 318_535_000,
            }
        ],
    },
    "put_national_completeness": {
        "revised_at": _AT,
        "rows": [{"revision": 1, "due_count": 1204, "stored_count": 1203, "gap_count": 1}],
    },
}
