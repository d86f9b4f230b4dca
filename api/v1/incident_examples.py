# SPDX-License-Identifier: AGPL-3.0-or-later
"""Examples of incidents, for the OpenAPI document and its page. Everything in them is made up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_SHA256: Final = "ab" * 32
_INCIDENT: Final[dict[str, Any]] = {
    "site_id": "cau-gia-bay",
    "site_name": "Cầu Gia Bẩy",
    "id": "01930b1e-7c00-7000-8000-000000000002",
    "kind": "stopped_vehicle",
    "state": "open",
    "phase": "lasts",
    "began_at": "2026-11-28T01:02:03.456Z",
    "told_at": "2026-11-28T01:02:05Z",
    "camera_id": "lan-vao",
    "camera_name": "Làn vào",
    "lane": 1,
    "confidence": 0.83,
}

ANSWERS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "list_incidents": {"incidents": [_INCIDENT], "next_cursor": None},
        "get_incident": {
            "incident": _INCIDENT,
            "reports": [
                {
                    "id": "01930b1e-7c00-7000-8000-000000000001",
                    "phase": "begun",
                    "captured_at": "2026-11-28T01:02:03.456Z",
                    "stored_at": "2026-11-28T01:02:05Z",
                    "is_late": False,
                    "device_id": "gate-01",
                    "confidence": 0.83,
                    "pictures": [
                        {"sha256": _SHA256, "url": f"/v1/evidence/{_SHA256}", "fate": None}
                    ],
                }
            ],
            "is_cut": False,
        },
    }
)
"""What every address answers."""
