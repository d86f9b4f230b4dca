# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closed alerts and settled messages of the quarantine go when their time is over, with proof."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from central.control.types import ClosingReason
from central.db.pool import connection_info, open_pool
from central.jobs.context import JobContext
from central.jobs.protection_tasks import erase_by_date
from central.retention_settings import RetentionSettings
from central.settings import CentralSettings
from central.traffic.types import DAY
from tests.integration.central.conftest import NOW
from tests.integration.central.test_retention import add_sighting
from tests.integration.central.tolls import made_id

if TYPE_CHECKING:
    from datetime import datetime

    from tests.integration.central.conftest import FakeDevice

KEEP: Final = RetentionSettings()
CLOSED_AT: Final = NOW + DAY
CODE: Final = "H15-260301-0001"
ALERTS: Final = {
    "open": None,
    "shown": ClosingReason.PAPERS_SHOWN,
    "dossier": ClosingReason.ENDED_BY_DOSSIER,
    "pursued": ClosingReason.CASE_OPENED,
}


@pytest.fixture
def alerts(device: "FakeDevice", rows: psycopg.Connection) -> None:
    """One alert of every kind, each with a sighting, and a sighting that came too late for one."""
    del device  # its site and camera are named
    for kind, reason in ALERTS.items():
        add_sighting(rows, kind, made_id(f"passage {kind}"), reason)
    add_sighting(rows, "sighted", made_id("passage sighted"), None)
    rows.execute(
        "UPDATE alert SET dossier_code = %s WHERE id = %s", [CODE, made_id("alert dossier")]
    )
    rows.execute("SET session_replication_role = replica")  # whoever applied is of no concern
    rows.execute(
        "INSERT INTO dossier (id, code, procedure_id, procedure_version, submission_key, channel,"
        " state, applicant_id, taken_in_by, submitted_by, request, received_at, due_at,"
        " calendar_version) VALUES (gen_random_uuid(), %s, 'badge', 1, 'a-key-of-the-form',"
        " 'counter', 'received', gen_random_uuid(), 'x', 'x', '{}', %s, %s, 1)",
        [CODE, NOW, NOW + DAY],
    )
    rows.execute("SET session_replication_role = origin")


@pytest.mark.usefixtures("alerts")
async def test_a_closed_alert_stays_for_its_purpose_and_while_its_dossier_goes_on(
    database_url: str, rows: psycopg.Connection, count: Callable[[str], int]
) -> None:
    early = await night(database_url, CLOSED_AT + KEEP.matched_keep - timedelta(seconds=1))
    matched = await night(database_url, CLOSED_AT + KEEP.matched_keep)
    left = kinds(rows)
    pursued = await night(database_url, CLOSED_AT + KEEP.pursued_keep)
    rows.execute(
        "UPDATE dossier SET state = 'withdrawn', ended_at = %s", [CLOSED_AT + KEEP.pursued_keep]
    )
    ended = await night(database_url, CLOSED_AT + KEEP.pursued_keep + DAY)

    assert (early, matched, pursued, ended) == (0, 1, 1, 1)
    assert left == {"open", "dossier", "pursued"}
    assert kinds(rows) == {"open"}
    assert count("alert_sighting") == 1
    record = rows.execute(
        "SELECT data, way, erased_count, kept_counts, ids_sha256 FROM erasure_record"
        " ORDER BY made_at LIMIT 1"
    ).fetchone()
    gone = hashlib.sha256(made_id("alert shown").bytes).digest()
    assert record == ("alerts", "deleted", 1, {"matched": 1, "pursued": 1}, gone)
    assert count("document") == count("erasure_record") == 3
    assert count("audit_entry WHERE action = 'rows_erased_by_date'") == 3


async def test_a_settled_message_goes_and_a_dropped_number_stays_explained_without_its_content(
    database_url: str, device: "FakeDevice", rows: psycopg.Connection, count: Callable[[str], int]
) -> None:
    for name, resolution, seq in (
        ("stored", "stored", 1),
        ("dropped", "dropped", 2),
        ("unnumbered", "dropped", None),
        ("open", None, 3),
    ):
        rows.execute(
            "INSERT INTO quarantine (fingerprint, reason, topic, payload, payload_size_bytes,"
            " device_id, outbox_id, seq, received_at, last_received_at, resolved_at, resolution)"
            " VALUES (sha256(%s), 'contract_broken', %s, '47AD15155', 9, %s, %s, %s, %s, %s, %s,"
            " %s)",
            [
                name.encode(),
                name,
                device.device_id,
                device.outbox_id if seq else None,
                seq,
                NOW,
                NOW,
                NOW if resolution else None,
                resolution,
            ],
        )

    early = await night(database_url, NOW + KEEP.quarantine_keep - timedelta(seconds=1))
    erased = await night(database_url, NOW + KEEP.quarantine_keep)
    again = await night(database_url, NOW + KEEP.quarantine_keep + DAY)

    assert (early, erased, again) == (0, 3, 0)
    assert rows.execute("SELECT topic, payload FROM quarantine ORDER BY id").fetchall() == [
        ("dropped", b""),
        ("open", b"47AD15155"),
    ]
    assert count("erasure_record WHERE data = 'quarantine' AND erased_count = 3") == 1


async def night(database_url: str, now: "datetime") -> int:
    """Run the nightly job; returns how many rows went."""
    async with open_pool(connection_info(database_url)) as pool:
        settings = CentralSettings(database_url=database_url)
        return await erase_by_date(JobContext(pool=pool, settings=settings, clock=lambda: now))


def kinds(rows: psycopg.Connection) -> set[str]:
    """Kinds whose alerts are still there."""
    found = {row[0] for row in rows.execute("SELECT id FROM alert").fetchall()}
    return {kind for kind in ALERTS if made_id(f"alert {kind}") in found}
