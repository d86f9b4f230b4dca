# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tells of incidents in the served world, as its device would."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceFate, EvidenceNoticeV1
from central.contracts.incident import IncidentKind, IncidentPhase, IncidentV1
from central.contracts.passage import EvidenceKind, EvidenceRefV1
from central.contracts.topics import Stream
from tests.integration.api.world import CAMERA_ID, DEVICE_ID, SITE_ID, World


def tell(
    world: World,
    captured_at: datetime,
    *,
    kind: IncidentKind = IncidentKind.STOPPED_VEHICLE,
    phase: IncidentPhase = IncidentPhase.BEGUN,
    of: IncidentV1 | None = None,
    pictures: tuple[str, ...] = (),
) -> IncidentV1:
    """Store one telling: of a new incident that began at that moment, or of one told before."""
    told = IncidentV1(
        **_envelope(world, captured_at),
        incident_id=uuid4() if of is None else of.incident_id,
        incident_kind=kind if of is None else of.incident_kind,
        phase=phase,
        began_at=captured_at if of is None else of.began_at,
        camera_id=CAMERA_ID,
        lane=2,
        confidence=0.75,
        evidence=tuple(
            EvidenceRefV1(kind=EvidenceKind.SCENE, sha256=each, size_bytes=1000)
            for each in pictures
        ),
    )
    world.store_event(told, Stream.INCIDENT)
    return told


def give_up(
    world: World,
    event_id: UUID,
    sha256: str,
    *,
    at: datetime,
    fate: EvidenceFate = EvidenceFate.DROPPED_FOR_ROOM,
) -> None:
    """Store the notice that a picture of an event will not come."""
    notice = EvidenceNoticeV1(**_envelope(world, at), event_id=event_id, sha256=sha256, fate=fate)
    world.store_event(notice, Stream.EVIDENCE_NOTICE)


def _envelope(world: World, captured_at: datetime) -> dict[str, Any]:
    """What every event has; values of many types."""
    world.seq += 1
    return {
        "id": uuid4(),
        "device_id": DEVICE_ID,
        "outbox_id": world.outbox_id,
        "boot_id": world.outbox_id,
        "seq": world.seq,
        "site_id": SITE_ID,
        "captured_at": captured_at,
        "clock_source": ClockSource.NTP,
        "clock_error_ms": 8,
    }
