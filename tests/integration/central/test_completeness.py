# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ledger of a day on a real database: everything adds up, and every gap is explained."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg

from central.completeness.types import Account, Explanation, LossProof
from central.completeness.watching import SETTLING
from central.domain.scope import SiteScope
from central.ingest.release import release_quarantined
from tests.integration.central.ledgers import (
    DAY,
    HOUR,
    LIMITS,
    NOW,
    SECOND,
    TODAY,
    WEEK,
    Centre,
    passages,
)

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice


def told(account: Account) -> list[tuple[int, int, str]]:
    """Gaps as first, last, and what shows the loss or else the explanation."""
    return [
        (gap.numbers.first, gap.numbers.last, gap.loss or gap.explanation) for gap in account.gaps
    ]


def test_a_day_adds_up_and_every_gap_has_its_explanation(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    first, second = passages(device, 1, 2)
    centre.store(device, first, second, *passages(device, 6, is_late=True))
    centre.store(device, second)  # once more
    centre.store(device, *passages(device, 7, camera_id="cam-9"))  # of no camera that is known
    centre.store(device, device.heartbeat(outbox_last_seq=10, outbox_events=2))

    account = centre.account(device)
    offline = centre.account(device, now=NOW + HOUR)

    assert account.due is not None
    assert (account.due.first, account.due.last) == (1, 10)
    assert told(account) == [
        (3, 5, LossProof.FORGOTTEN),  # 10 numbers, the last 2 wait: 3 to 5 do not
        (7, 7, Explanation.QUARANTINED),
        (8, 8, LossProof.FORGOTTEN),
        (9, 10, Explanation.IN_OUTBOX),
    ]
    assert (account.due_count, account.stored_count) == (10, 3)
    assert account.count(Explanation.LOST) == 4
    assert (account.arrived, account.doubled, account.late) == (3, 1, 1)
    [entry] = rows.execute("SELECT id FROM quarantine").fetchall()
    assert account.gaps[1].quarantine_id == entry[0]
    assert account.gaps[1].reason == "unknown_camera"
    assert told(offline)[-1] == (9, 10, Explanation.OFFLINE)
    assert offline.gaps[-1].since == NOW


def test_a_device_that_sent_nothing_is_in_the_ledger_of_the_day(
    centre: Centre, device: "FakeDevice"
) -> None:
    [silent] = centre.ledger()
    centre.store(device, device.heartbeat(), now=NOW - HOUR)
    [quiet] = centre.ledger()

    assert (silent.device_id, silent.account, silent.is_heard) == (device.device_id, None, False)
    assert silent.silent_since is None
    assert (quiet.account, quiet.silent_since) == (None, NOW - HOUR)


def test_a_gap_counts_on_the_day_on_which_a_higher_number_came_until_it_is_filled(
    centre: Centre, device: "FakeDevice"
) -> None:
    centre.store(device, *passages(device, 1, 2), now=NOW - DAY)
    centre.store(device, device.heartbeat(outbox_last_seq=4, outbox_events=2), now=NOW - DAY)
    tail = centre.account(device, day=TODAY - DAY, now=NOW - DAY + SECOND)
    centre.store(device, *passages(device, 6), now=NOW)

    yesterday = centre.account(device, day=TODAY - DAY)
    today = centre.account(device)
    centre.store(device, *passages(device, 3, 4, 5), now=NOW + HOUR)
    filled = centre.account(device)

    assert told(tail) == [(3, 4, Explanation.IN_OUTBOX)]
    assert yesterday.gaps == ()
    assert today.due is not None
    assert (today.due.first, today.due.last) == (3, 6)
    assert [(gap.numbers.first, gap.numbers.last) for gap in today.gaps] == [(3, 5)]
    assert (filled.gaps, filled.stored_count, filled.arrived) == ((), 4, 4)


def test_numbers_of_an_outbox_that_was_replaced_are_lost(
    centre: Centre, device: "FakeDevice"
) -> None:
    old = device.outbox_id
    centre.store(device, *passages(device, 1, 4), now=NOW - HOUR)
    device.outbox_id = uuid4()
    centre.store(device, *passages(device, 1))
    centre.store(device, device.heartbeat(outbox_last_seq=1))

    by_outbox: dict[UUID, Account] = {
        row.account.outbox_id: row.account for row in centre.ledger() if row.account is not None
    }

    assert told(by_outbox[old]) == [(2, 3, LossProof.REPLACED)]
    assert by_outbox[device.outbox_id].gaps == ()


def test_a_gap_becomes_an_alarm_when_it_is_too_old_and_ends_when_it_is_filled(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    centre.store(device, *passages(device, 1, 5))
    heartbeat = device.heartbeat(outbox_last_seq=5, outbox_events=4)
    centre.store(device, heartbeat)

    noted = centre.follow(now=NOW)
    again = centre.follow(now=NOW + WEEK - SECOND)
    alarmed = centre.follow(now=NOW + WEEK + SECOND)
    once = centre.follow(now=NOW + WEEK + HOUR)
    during = centre.account(device, now=NOW + WEEK + HOUR)
    centre.store(device, *passages(device, 3), now=NOW + WEEK + HOUR)
    partly = centre.follow(now=NOW + WEEK + HOUR)
    centre.store(device, *passages(device, 2, 4), now=NOW + WEEK + HOUR)
    ended = centre.follow(now=NOW + WEEK + 2 * HOUR)

    assert (noted.noted, noted.overdue, again.noted, again.overdue) == (1, (), 0, ())
    [device_alarmed] = alarmed.overdue
    assert (device_alarmed.device_id, device_alarmed.numbers) == (device.device_id, 3)
    assert once.overdue == ()
    assert told(during) == [(2, 4, LossProof.OVERDUE)]
    assert during.gaps[0].since == NOW
    assert (partly.filled, ended.filled) == (0, 1)
    [gap] = rows.execute("SELECT filled_at IS NOT NULL FROM device_gap").fetchall()
    assert gap[0]


def test_a_number_that_the_outbox_forgot_is_an_alarm_as_soon_as_the_broker_has_settled(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    centre.store(device, *passages(device, 1, 3))
    centre.store(device, device.heartbeat(outbox_last_seq=3))

    centre.follow(now=NOW)
    early = centre.follow(now=NOW + SETTLING - SECOND)
    due = centre.follow(now=NOW + SETTLING + SECOND)
    centre.store(device, *passages(device, 2, 5), now=NOW + HOUR)
    centre.follow(now=NOW + HOUR)
    centre.store(device, *passages(device, 4), now=NOW + HOUR)
    centre.follow(now=NOW + HOUR)

    assert early.overdue == ()
    assert [each.numbers for each in due.overdue] == [1]
    kept = rows.execute("SELECT first_seq FROM device_gap").fetchall()
    assert kept == [(2,)], "a gap that was filled without an alarm is forgotten"


def test_what_leaves_the_quarantine_counts_as_stored_and_what_is_dropped_as_discarded(
    centre: Centre, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    centre.store(device, *passages(device, 1))
    centre.store(device, *passages(device, 2, 3, camera_id="cam-9"))
    rows.execute(
        "UPDATE quarantine SET resolved_at = now(), resolution = 'dropped', resolved_by = 'x',"
        " resolution_note = 'a test of the lane' WHERE seq = 3"
    )
    before = centre.account(device)

    rows.execute("INSERT INTO camera (site_id, id, name) SELECT site_id, 'cam-9', '9' FROM device")
    released = release_quarantined(centre.url, limits=LIMITS, now=NOW + HOUR)
    after = centre.account(device)

    assert told(before) == [(2, 2, Explanation.QUARANTINED), (3, 3, Explanation.DISCARDED)]
    assert (before.stored_count, before.arrived) == (1, 1)
    assert released == 1
    assert told(after) == [(3, 3, Explanation.DISCARDED)]
    assert (after.stored_count, after.arrived) == (2, 2)


def test_the_ledger_is_read_page_by_page_and_shows_the_caller_s_sites_only(
    centre: Centre,
    new_device: Callable[[], "FakeDevice"],
    register: Callable[..., None],
    rows: psycopg.Connection,
) -> None:
    devices = [new_device() for _ in range(5)]
    for each in devices:
        register(centre.url, each)
        centre.store(each, *passages(each, 1))
    rows.execute("INSERT INTO site (id, province, name) VALUES ('km99', 'dak-lak', 'Km 99')")
    moved = devices[0].device_id
    rows.execute("UPDATE device SET site_id = 'km99' WHERE id = %s", [moved])

    everything = centre.ledger(size=2)
    near = centre.ledger(size=2, scope=SiteScope(site_ids=frozenset({"km99"})))
    nothing = centre.ledger(scope=SiteScope(site_ids=frozenset()))

    assert [row.device_id for row in everything] == sorted(each.device_id for each in devices)
    assert [row.device_id for row in near] == [moved]
    assert nothing == []
