# SPDX-License-Identifier: AGPL-3.0-or-later
"""Examples of webhooks, for the OpenAPI document and its page. Everything in them is made up."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_ID: Final = "01930b1e-7c00-7000-8000-000000000003"
_NEW: Final[dict[str, Any]] = {
    "name": "dieu-hanh",
    "url": "https://nhan-tin.example.vn/luuthong",
    "events": ["alert.raised", "device.silent"],
    "site_ids": ["cau-gia-bay"],
}
_WEBHOOK: Final[dict[str, Any]] = {
    **_NEW,
    "id": _ID,
    "state": "working",
    "pause_reason": None,
    "paused_at": None,
    "failing_since": None,
    "made_at": "2026-11-28T01:02:03.456Z",
    "waiting": 0,
    "last_delivered_at": "2026-11-28T01:02:05Z",
}
_SECRET: Final[dict[str, Any]] = {"id": _ID, "secret": "whsec_…"}

BODIES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType({"add_webhook": _NEW})
"""What addresses take."""

ANSWERS: Final[Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "list_webhooks": {"webhooks": [_WEBHOOK]},
        "add_webhook": _SECRET,
        "get_webhook": _WEBHOOK,
        "renew_webhook_secret": _SECRET,
        "test_webhook": {"id": _ID},
    }
)
"""What every address answers."""
