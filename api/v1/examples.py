# SPDX-License-Identifier: AGPL-3.0-or-later
"""An example of what every address takes and answers, for the OpenAPI document and its page.

Everything in them is made up; a test holds each against its schema.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from api.v1 import convoy_examples, incident_examples, national_examples, webhook_examples

Json = dict[str, Any]
"""Free JSON, as FastAPI's own document is."""

_ID: Final = "01930b1e-7c00-7000-8000-000000000001"
_OTHER_ID: Final = "01930b1e-7c00-7000-8000-000000000002"
_AT: Final = "2026-11-28T01:02:03.456Z"
_LATER: Final = "2026-11-28T01:02:05Z"
_SHA256: Final = "ab" * 32
_CURSOR: Final = "MDE5MzBiMWUtN2MwMC03MDAwLTgwMDAt"
_SITE: Final = {"site_id": "cau-gia-bay", "site_name": "Cầu Gia Bẩy"}
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"
_REQUEST: Final = "-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n"
_ORIGIN: Final = {"as_of": "2026-11-01", "source": "registry"}
_SESSION: Final = {
    "username": "operator",
    "display_name": "Trực ban số 1",
    "role": "operator",
    "expires_at": "2026-11-28T13:02:03Z",
}
_BOX: Final = {"x_min": 250.0, "y_min": 400.0, "x_max": 390.0, "y_max": 440.0}
_LOOK: Final = {"purpose": "inspection", "case_reference": None}

_SUMMARY: Final[Json] = {
    **_SITE,
    "id": _ID,
    "camera_id": "lan-vao",
    "camera_name": "Làn vào",
    "captured_at": _AT,
    "stored_at": _LATER,
    "direction": "down",
    "lane": 1,
    "is_late": False,
    "plate_text": "20C12345",
    "plate_colour": "yellow",
    "plate_confidence": 0.98,
    "plate_is_legal": True,
    "plate_layout": "two_line",
    "speed_kmh": None,
    "vehicle_class": "truck",
    "vehicle_confidence": 0.93,
    "evidence": [
        {"kind": "plate", "sha256": _SHA256, "url": f"/v1/evidence/{_SHA256}", "fate": None}
    ],
}
_ALERT: Final[Json] = {
    **_SITE,
    "id": _OTHER_ID,
    "passage_id": _ID,
    "camera_id": "lan-vao",
    "camera_name": "Làn vào",
    "rule": "badge_expired",
    "severity": "medium",
    "state": "open",
    "version": 1,
    "legal_basis": "NĐ 158/2024/NĐ-CP",
    "plate_text": "20C12345",
    "plate_colour": "yellow",
    "vehicle_id": None,
    "watchlist_entry_id": None,
    "dossier_code": None,
    "opened_at": _LATER,
    "last_sighted_at": _AT,
    "sightings": 1,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "closed_at": None,
    "closed_by": None,
    "closing_note": None,
    "closing_reason": None,
    "facts": [
        {
            "name": "badge_valid_until",
            "value": "2026-10-31",
            "source": "registry",
            "as_of": "2026-11-01",
            "read_at": _LATER,
        }
    ],
}
_DEVICE: Final[Json] = {
    **_SITE,
    "id": "gate-01",
    "enabled": True,
    "is_silent": False,
    "heard_at": _LATER,
    "software_version": "0.1.0",
    "clock_error_ms": 8,
    "outbox_events": 0,
    "passages": 1204,
    "plates": 1187,
    "cameras": [
        {
            "camera_id": "lan-vao",
            "state": "running",
            "captured_fps": 25.0,
            "analysed_fps": 12.5,
            "frames_dropped": 0,
        }
    ],
}
_VERDICT: Final[Json] = {
    "answer": "no",
    "asked_for": "2026-11-28",
    "reasons": [
        {
            "answer": "no",
            "code": "permit-expired",
            "facts": [
                {
                    "name": "permit_valid_until",
                    "value": "2026-10-31",
                    "source": "registry",
                    "as_of": "2026-11-01",
                    "age_days": 27,
                }
            ],
            "legal_basis": None,
        }
    ],
}
_PAPER: Final[Json] = {
    "kind": None,
    "number": "0001",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "revoked_on": None,
    "origin": _ORIGIN,
}

ANSWERS: Final[Mapping[str, Json]] = MappingProxyType(
    {
        "list_alerts": {"alerts": [_ALERT], "next_cursor": None},
        "get_alert": {
            "alert": _ALERT,
            "sightings": [
                {
                    "passage_id": _ID,
                    "captured_at": _AT,
                    "judged_at": _LATER,
                    "is_late": False,
                    "passage": _SUMMARY,
                }
            ],
        },
        "acknowledge_alert": {"id": _OTHER_ID, "state": "acknowledged", "version": 2},
        "close_alert": {"id": _OTHER_ID, "state": "closed", "version": 3},
        **incident_examples.ANSWERS,
        **webhook_examples.ANSWERS,
        "list_devices": {"devices": [_DEVICE], "next_cursor": None},
        "get_device": _DEVICE,
        "get_completeness": {
            "device_id": "gate-01",
            "outboxes": [
                {
                    "outbox_id": _ID,
                    "first_seq": 1,
                    "last_seq": 1204,
                    "first_received_at": _AT,
                    "last_received_at": _LATER,
                    "stored_count": 1203,
                    "late_count": 0,
                    "doubled_count": 2,
                    "quarantined_count": 0,
                    "missing_count": 1,
                    "missing": [{"first": 77, "last": 77}],
                }
            ],
        },
        "get_day_completeness": {
            "day": "2026-11-28",
            "rows": [
                {
                    **_SITE,
                    "device_id": "gate-01",
                    "enabled": True,
                    "silent_since": None,
                    "unnumbered_count": 0,
                    "account": {
                        "outbox_id": _ID,
                        "first_seq": 1,
                        "last_seq": 1204,
                        "due_count": 1204,
                        "stored_count": 1203,
                        "missing_count": 1,
                        "lost_count": 1,
                        "quarantined_count": 0,
                        "discarded_count": 0,
                        "arrived_count": 1203,
                        "late_count": 0,
                        "doubled_count": 2,
                        "gap_count": 1,
                        "gaps": [
                            {
                                "first": 77,
                                "last": 77,
                                "explanation": "lost",
                                "loss": "forgotten",
                                "since": _LATER,
                                "quarantine_id": None,
                                "reason": None,
                            }
                        ],
                    },
                }
            ],
            "next_cursor": None,
        },
        "list_statements": {
            "statements": [
                {
                    "day": "2026-11-28",
                    "revision": 1,
                    "made_at": "2026-11-28T17:43:00Z",
                    "sha256": _SHA256,
                    "signed_by": "CN=Sở Xây dựng",
                    "due_count": 1204,
                    "stored_count": 1203,
                    "gap_count": 1,
                    "url": "/v1/completeness/statements/2026-11-28?revision=1",
                }
            ],
            "next_cursor": "2026-11-28.1",
        },
        **national_examples.ANSWERS,
        "enrol": {
            "device_id": "gate-01",
            "province": "thai-nguyen",
            "site_id": "cau-gia-bay",
            "secret": "shown once",
            "certificate": _CERTIFICATE,
            "authority": _CERTIFICATE,
            "expires_at": "2027-02-26T01:02:03Z",
        },
        "renew": {
            "device_id": "gate-01",
            "certificate": _CERTIFICATE,
            "expires_at": "2027-02-26T01:02:03Z",
        },
        "put_evidence": {"sha256": _SHA256},
        "health": {"status": "ok"},
        "check_licence": _VERDICT,
        "check_permit": _VERDICT,
        "search_passages": {"passages": [_SUMMARY], "next_cursor": _CURSOR},
        "find_alike_plates": {
            "plates": [
                {
                    "plate_text": "20C12345",
                    "passages": 41,
                    "first_captured_at": _AT,
                    "last": _SUMMARY,
                    "distance": 0.3,
                }
            ],
            "is_cut": False,
        },
        **convoy_examples.ANSWERS,
        "get_passage": {
            "summary": _SUMMARY,
            "device_id": "gate-01",
            "outbox_id": _ID,
            "boot_id": _OTHER_ID,
            "seq": 1204,
            "clock_source": "ntp",
            "clock_error_ms": 8,
            "first_seen_at": "2026-11-28T01:02:03Z",
            "last_seen_at": "2026-11-28T01:02:04Z",
            "frame_index": 24080,
            "frame_width_px": 1280,
            "frame_height_px": 720,
            "vehicle_box_px": {"x_min": 100.0, "y_min": 120.0, "x_max": 540.0, "y_max": 470.0},
            "speed_uncertainty_kmh": None,
            "models": [{"name": "plate-reader", "sha256": _SHA256}],
            "plate": {
                "text": "20C12345",
                "raw_text": "20C12345",
                "confidence": 0.98,
                "char_confidences": [0.99, 0.99, 0.98, 0.99, 0.99, 0.99, 0.99, 0.98],
                "alternatives": [{"text": "20C12348", "confidence": 0.01}],
                "is_legal": True,
                "layout": "two_line",
                "colour": "yellow",
                "frames_read": 9,
                "box_px": _BOX,
            },
        },
        "open_session": _SESSION,
        "open_session_with_code": _SESSION,
        "list_sites": {
            "sites": [{"id": "cau-gia-bay", "name": "Cầu Gia Bẩy", "province": "thai-nguyen"}],
            "next_cursor": None,
        },
        "look_up_vehicle": {
            "id": _ID,
            "chassis_number": "RLEXAMPLE00000001",
            "engine_number": None,
            "kind": "truck",
            "brand": None,
            "manufactured_in": 2020,
            "seats": 3,
            "payload_kg": 8000,
            "gross_mass_kg": 15000,
            "inspected_until": "2026-12-31",
            "inspection_origin": _ORIGIN,
            "origin": _ORIGIN,
            "owner": {
                "kind": "organisation",
                "name": "Hợp tác xã vận tải (ví dụ)",
                "identity_number": "0000000000",
            },
            "plates": [
                {
                    "text": "20C12345",
                    "colour": "yellow",
                    "valid_from": "2024-01-01",
                    "valid_until": None,
                }
            ],
            "badges": [_PAPER],
            "permits": [],
            "transport_licences": [],
        },
        "add_to_watchlist": {"id": _ID},
        "search_watchlist": {
            "entries": [
                {
                    "id": _ID,
                    "plate_text": "20C12345",
                    "plate_colour": None,
                    "reason": "suspected_fake_plate",
                    "legal_basis": "Công văn 00/CV",
                    "note": "",
                    "listed_at": _AT,
                    "listed_by": "operator",
                    "valid_until": None,
                    "removed_at": None,
                    "removed_by": None,
                }
            ],
            "next_cursor": None,
        },
    }
)
"""What an address answers when all is well; pictures and empty answers have none."""

BODIES: Final[Mapping[str, Json]] = MappingProxyType(
    {
        **national_examples.BODIES,
        **convoy_examples.BODIES,
        **webhook_examples.BODIES,
        "close_alert": {"reason": "papers_shown", "note": ""},
        "enrol": {"token": "lti_…", "certificate_request": _REQUEST},
        "renew": {"certificate_request": _REQUEST, "signature": "MEUCIQ…"},
        "check_licence": {**_LOOK, "licence_number": "000000000000", "plate": "20C-123.45"},
        "check_permit": {**_LOOK, "plate": "20C-123.45", "country": "laos"},
        "search_passages": {"plate": "20C*", "page_size": 50},
        "find_alike_plates": {
            **_LOOK,
            "plate": "20C-123.?5",
            "captured_from": "2026-09-01T00:00:00+07:00",
            "captured_until": "2026-12-01T00:00:00+07:00",
        },
        "open_session": {"username": "operator", "password": "…"},
        "open_session_with_code": {"code": "123456"},
        "look_up_vehicle": {**_LOOK, "plate": "20C-123.45"},
        "add_to_watchlist": {
            "plate": "20C-123.45",
            "reason": "suspected_fake_plate",
            "legal_basis": "Công văn 00/CV",
        },
        "search_watchlist": {"state": "holding"},
    }
)
"""What an address takes, where it takes JSON."""


def add_examples(document: Json) -> None:
    """Put the examples into an OpenAPI document."""
    for operations in document["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            if name in BODIES:
                content = operation["requestBody"]["content"]["application/json"]
                content["example"] = BODIES[name]
            if name in ANSWERS:
                for status, response in operation["responses"].items():
                    if status.startswith("2"):
                        response["content"]["application/json"]["example"] = ANSWERS[name]
