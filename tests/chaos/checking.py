# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares what the database says with what was captured: lost, doubled, invented, miscounted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from edge.outbox.store import look_into
from tests.chaos.truth import Truth

EXPECTED_REASON: Final = "time_in_future"
"""The only reason of a made event to be in quarantine: its clock was set far ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database holds after a run."""

    events: int
    doubled: int
    late: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """One outbox's account beside what is really there."""

    id: int
    device_id: str
    held: str
    last_seq: int
    stored_count: int
    doubled_count: int
    quarantined_count: int
    late_count: int
    events: int
    late: int
    quarantined: int
    day_stored: int
    day_doubled: int
    day_quarantined: int
    day_late: int


_ACCOUNTS: Final = """
SELECT id, device_id, held::text AS held, coalesce(upper(held) - 1, 0) AS last_seq, stored_count,
       doubled_count, quarantined_count, late_count,
       (SELECT count(*) FROM passage_identity WHERE stream_id = s.id) AS events,
       (SELECT count(*) FROM passage WHERE stream_id = s.id AND is_late)
       + (SELECT count(*) FROM tag_read WHERE stream_id = s.id AND is_late) AS late,
       (SELECT count(*) FROM quarantine AS q
         WHERE q.device_id = s.device_id AND q.outbox_id = s.outbox_id
           AND q.resolved_at IS NULL) AS quarantined,
       (SELECT coalesce(sum(stored_count), 0) FROM device_day WHERE stream_id = s.id)::bigint
       AS day_stored,
       (SELECT coalesce(sum(doubled_count), 0) FROM device_day WHERE stream_id = s.id)::bigint
       AS day_doubled,
       (SELECT coalesce(sum(quarantined_count), 0) FROM device_day WHERE stream_id = s.id)::bigint
       AS day_quarantined,
       (SELECT coalesce(sum(late_count), 0) FROM device_day WHERE stream_id = s.id)::bigint
       AS day_late
  FROM device_stream AS s
 ORDER BY device_id
"""


def check(
    database_url: str, truth: Truth, outboxes: Sequence[Path]
) -> tuple[Stored, tuple[str, ...]]:
    """Look at everything in one snapshot.

    Returns:
        What is stored, and a sentence for everything that is wrong.
    """
    with psycopg.connect(database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rows = [*_ids(connection, "passage"), *_ids(connection, "tag_read")]
        accounts = _accounts(connection)
        problems = [
            *event_problems(rows, truth),
            *_quarantine_problems(connection, truth),
            *_identity_problems(connection, rows),
            *_follower_problems(connection),
            *(problem for each in accounts for problem in _account_problems(each)),
            *_outbox_problems(accounts, outboxes),
        ]
    stored = Stored(
        events=len(rows),
        doubled=sum(each.doubled_count for each in accounts),
        late=sum(each.late for each in accounts),
        quarantined=sum(each.quarantined for each in accounts),
    )
    return stored, tuple(problems)


def _ids(connection: psycopg.Connection, table: str) -> list[UUID]:
    query = psycopg.sql.SQL("SELECT id FROM {}").format(psycopg.sql.Identifier(table))
    return [row[0] for row in connection.execute(query).fetchall()]


def _accounts(connection: psycopg.Connection) -> list[_Account]:
    with connection.cursor(row_factory=class_row(_Account)) as cursor:
        return cursor.execute(_ACCOUNTS).fetchall()


def event_problems(rows: Sequence[UUID], truth: Truth) -> list[str]:
    """Every event that an edge said it has is stored once; none twice, none from nowhere."""
    stored = set(rows)
    lost = truth.kept - truth.from_the_future - stored
    doubled = [event_id for event_id, times in Counter(rows).items() if times > 1]
    invented = stored - truth.begun
    unbelievable = stored & truth.from_the_future
    return [
        f"{len(events)} events {what}, {min(events)} among them"
        for events, what in (
            (lost, "are lost"),
            (doubled, "are stored more than once"),
            (invented, "are stored that nobody captured"),
            (unbelievable, "from the future are stored"),
        )
        if events
    ]


def _quarantine_problems(connection: psycopg.Connection, truth: Truth) -> list[str]:
    """Only events whose clock was far ahead are in quarantine, and all of them."""
    rows = connection.execute(
        "SELECT event_id, reason FROM quarantine WHERE resolved_at IS NULL"
    ).fetchall()
    held = {event_id for event_id, _ in rows}
    wrong = Counter(
        str(reason)
        for event_id, reason in rows
        if event_id not in truth.from_the_future or reason != EXPECTED_REASON
    )
    problems = [
        f"{times} messages are in quarantine as {reason} without need"
        for reason, times in sorted(wrong.items())
    ]
    if missing := (truth.kept & truth.from_the_future) - held:
        problems.append(f"{len(missing)} events from the future are not in quarantine")
    return problems


def _identity_problems(connection: psycopg.Connection, rows: Sequence[UUID]) -> list[str]:
    """Every row has its id in the list of ids, and the reverse."""
    known = {row[0] for row in connection.execute("SELECT id FROM passage_identity").fetchall()}
    if known == set(rows):
        return []
    return [f"{len(known ^ set(rows))} ids and rows don't belong to each other"]


def _follower_problems(connection: psycopg.Connection) -> list[str]:
    """Live pages hear of every passage once, and its minute will be counted."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM passage),"
        " (SELECT count(*) FROM passage_feed, unnest(passage_ids)),"
        " (SELECT count(DISTINCT id) FROM passage_feed, unnest(passage_ids) AS named (id)),"
        " (SELECT count(*) FROM passage WHERE date_trunc('minute', captured_at)"
        " NOT IN (SELECT minute_at FROM passage_touched))"
    ).fetchone()
    assert row is not None
    passages, told, different, uncounted = row
    problems = []
    if not passages == told == different:
        problems.append(f"live pages hear of {told} passages ({different} different)")
    if uncounted:
        problems.append(f"the minutes of {uncounted} passages would never be counted")
    return problems


def _account_problems(account: _Account) -> list[str]:
    """An outbox's account has no hole, and its sums are those of its rows and of its days."""
    wanted = f"{{[1,{account.last_seq + 1})}}" if account.last_seq else "{}"
    pairs = (
        ("stored", account.stored_count, account.events),
        ("stored by day", account.day_stored, account.events),
        ("late", account.late_count, account.late),
        ("late by day", account.day_late, account.late),
        ("quarantined", account.quarantined_count, account.quarantined),
        ("quarantined by day", account.day_quarantined, account.quarantined),
        ("doubled by day", account.day_doubled, account.doubled_count),
        ("held", account.last_seq, account.events + account.quarantined),
    )
    problems = [
        f"{account.device_id}: {what} is {counted}, and should be {real}"
        for what, counted, real in pairs
        if counted != real
    ]
    if account.held != wanted:
        problems.append(f"{account.device_id}: holds {account.held} instead of {wanted}")
    return problems


def _outbox_problems(accounts: Sequence[_Account], outboxes: Sequence[Path]) -> list[str]:
    """Every outbox is empty, and its last number is the last that the centre holds."""
    states = [look_into(path) for path in outboxes]
    problems = [f"an outbox still holds {state.events} events" for state in states if state.events]
    given = sorted(state.last_seq for state in states if state.last_seq)
    held = sorted(account.last_seq for account in accounts if account.last_seq)
    if given != held:
        problems.append(f"outboxes gave the numbers up to {given}, the centre holds {held}")
    return problems
