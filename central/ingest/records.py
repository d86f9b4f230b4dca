# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events of which a device sends few: traffic minutes, incidents, evidence notices.

They are read by their contracts as they stand; only passages and tag reads come so fast that
reading them has a module of its own.
"""

from collections.abc import Mapping

from psycopg.types.json import Jsonb

from central.contracts.event import Event
from central.contracts.evidence_notice import EvidenceNoticeV1
from central.contracts.incident import IncidentV1
from central.contracts.traffic_minute import TrafficMinuteV1


def insert_of(event: Event) -> tuple[str, Mapping[str, object]]:
    """Name of the query that stores a record, and what it is bound to besides the envelope.

    Raises:
        TypeError: This event is no record.
    """
    match event:
        case TrafficMinuteV1():
            return "insert_traffic_minute", {
                "camera_id": event.camera_id,
                "lane": event.lane,
                "minute_at": event.minute_at,
                "frames_analysed": event.frames_analysed,
                "frames_dropped": event.frames_dropped,
                "counts": Jsonb([each.model_dump(mode="json") for each in event.counts]),
            }
        case IncidentV1():
            return "insert_incident_report", {
                "incident_id": event.incident_id,
                "kind": event.incident_kind,
                "phase": event.phase,
                "began_at": event.began_at,
                "camera_id": event.camera_id,
                "lane": event.lane,
                "confidence": event.confidence,
                "box": None if event.box is None else Jsonb(event.box.model_dump(mode="json")),
                "pictures": [bytes.fromhex(each.sha256) for each in event.evidence],
            }
        case EvidenceNoticeV1():
            return "insert_evidence_notice", {
                "event_id": event.event_id,
                "sha256": bytes.fromhex(event.sha256),
                "fate": event.fate,
            }
    raise TypeError(f"{type(event).__name__} is no record")
