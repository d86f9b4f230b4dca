# SPDX-License-Identifier: AGPL-3.0-or-later
"""New passages reach an open page, each once, also after a broken link."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from api.console import live
from central.contracts.passage import VehicleClass
from central.identity.permissions import Role
from tests.integration.api.world import USERNAME, Seen, World, serving

WAIT_S = 15.0
STREAM = "/console/passages/stream"
MAKE_OLD = """
    UPDATE app_session SET last_used_at = %s
     WHERE user_id = (SELECT id FROM app_user WHERE username = 'demonstrator')
"""
LAST_USES = """
    SELECT DISTINCT last_used_at FROM app_session
     WHERE user_id = (SELECT id FROM app_user WHERE username = 'demonstrator')
"""


class Stream:
    """Reads server-sent events from an open answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def next_event(self) -> dict[str, str]:
        """The next event that is more than a comment; fails when none comes in time."""
        event: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in event:
                return event
            name, _, value = line.partition(": ")
            if name in {"event", "id", "data"}:
                event[name] = event.get(name, "") + value
        raise AssertionError("the stream ended")

    def read_to_its_end(self) -> None:
        """Wait until the answer is over; fails when it is not over in time."""
        ends_s = time.monotonic() + WAIT_S
        for _ in self._lines:
            assert time.monotonic() < ends_s, "the stream goes on"


@contextmanager
def _stream(client: httpx.Client, path: str, **headers: str) -> Iterator[Stream]:
    with client.stream("GET", path, headers=headers, timeout=WAIT_S) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def _position(world: World) -> int:
    with psycopg.connect(world.database_url) as connection:
        row = connection.execute("SELECT coalesce(max(position), 0) FROM passage_feed").fetchone()
    assert row is not None
    return int(row[0])


def test_a_new_passage_appears_within_a_second_or_so(world: World, client: httpx.Client) -> None:
    with _stream(client, f"{STREAM}?after={_position(world)}") as stream:
        (stored,) = world.store(Seen(plate="30F25658"))
        event = stream.next_event()

    assert event["event"] == "passages"
    assert f'data-passage="{stored.id}"' in event["data"]
    assert "30F-256.58" in event["data"]


def test_what_was_missed_comes_first_and_nothing_twice(world: World, client: httpx.Client) -> None:
    (first,) = world.store(Seen(plate="20A00001"))
    with _stream(client, f"{STREAM}?after=0") as stream:
        seen = stream.next_event()
    (second,) = world.store(Seen(plate="20A00002"))

    with _stream(client, f"{STREAM}?after=0", **{"Last-Event-ID": seen["id"]}) as stream:
        missed = stream.next_event()
        (third,) = world.store(Seen(plate="20A00003"))
        new = stream.next_event()

    assert str(first.id) in seen["data"]
    assert str(second.id) in missed["data"]
    assert str(first.id) not in missed["data"]
    assert str(third.id) in new["data"]
    assert str(second.id) not in new["data"]
    assert int(seen["id"]) < int(missed["id"]) < int(new["id"])


def test_a_filtered_page_gets_only_what_fits(world: World, client: httpx.Client) -> None:
    with _stream(client, f"{STREAM}?after={_position(world)}&vehicle_class=truck") as stream:
        world.store(Seen(plate="20A00001"))
        other = stream.next_event()
        world.store(Seen(plate="20A00002", vehicle_class=VehicleClass.TRUCK))
        fitting = stream.next_event()

    assert other["event"] == "position"
    assert fitting["event"] == "passages"
    assert "20A-000.02" in fitting["data"]


def test_a_page_that_searches_a_plate_gets_only_that_plate(
    world: World, client: httpx.Client
) -> None:
    location = client.post("/console/passages/search", data={"plate": "30F*"}).headers["location"]
    stream_url = location.replace("/console/passages?", f"{STREAM}?")

    with _stream(client, f"{stream_url}&after={_position(world)}") as stream:
        world.store(Seen(plate="20A00001"), Seen(plate="30F25658"))
        event = stream.next_event()

    assert "30F-256.58" in event["data"]
    assert "20A" not in event["data"]


@pytest.mark.parametrize("path", [STREAM, "/console/alerts/stream"])
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM app_session WHERE user_id = %s",
        "UPDATE app_user SET enabled = FALSE WHERE id = %s",
        "UPDATE app_user SET reach = 'areas' WHERE id = %s",
        "UPDATE app_user SET role = 'clerk' WHERE id = %s",
    ],
)
def test_a_stream_ends_soon_after_its_session_or_what_its_user_may_see(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, change: str
) -> None:
    assert live.HOLDER_CHECK_S < 60
    monkeypatch.setattr(live, "HOLDER_CHECK_S", 0.2)
    role = Role.DEMONSTRATOR
    with world.signed_in_as(role) as client, _stream(client, f"{path}?after=0") as stream:
        world.store(Seen())
        with psycopg.connect(world.owner_url) as rows:
            found = rows.execute("SELECT id, role FROM app_user WHERE username = %s", [role])
            user_id, _ = found.fetchone() or (0, "")
            rows.execute(change, [user_id])
        stream.read_to_its_end()

    with psycopg.connect(world.owner_url) as rows:
        rows.execute(
            "UPDATE app_user SET enabled = TRUE, reach = 'province', role = %s WHERE id = %s",
            [role, user_id],
        )


def test_a_stream_that_nothing_happens_to_goes_on_and_does_not_keep_its_session_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HOLDER_CHECK_S", 0.05)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    with (
        world.signed_in_as(Role.DEMONSTRATOR) as client,
        psycopg.connect(world.owner_url, autocommit=True) as rows,
        _stream(client, f"{STREAM}?after={_position(world)}") as stream,
    ):
        rows.execute(MAKE_OLD, [long_ago])
        world.store(Seen())
        first = stream.next_event()
        world.store(Seen())
        second = stream.next_event()
        kept = rows.execute(LAST_USES).fetchall()

    assert (first["event"], second["event"]) == ("passages", "passages")
    assert kept == [(long_ago,)]


@pytest.mark.parametrize("path", [STREAM, "/console/alerts/stream"])
def test_opening_a_stream_is_written_down_as_opening_a_list_is(
    world: World, client: httpx.Client, path: str
) -> None:
    with _stream(client, f"{path}?after=0"):
        pass

    with psycopg.connect(world.owner_url) as rows:
        written = rows.execute(
            "SELECT actor, subject_id FROM audit_entry WHERE action = 'list_looked_at'"
        ).fetchall()
    assert written == [(USERNAME, path)]


def test_after_a_very_long_break_the_page_is_told_to_reload(
    world: World, client: httpx.Client
) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    batch = [Seen(captured_at=at + timedelta(seconds=n)) for n in range(500)]
    for _ in range(21):
        world.store(*batch)

    with _stream(client, f"{STREAM}?after=0") as stream:
        kinds = [stream.next_event()["event"] for _ in range(21)]

    assert kinds == ["passages"] * 20 + ["gap"]


def test_the_live_list_goes_on_after_the_database_cut_its_connection(
    world: World, client: httpx.Client
) -> None:
    with _stream(client, f"{STREAM}?after={_position(world)}") as stream:
        with psycopg.connect(world.database_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'luuthong-api' AND datname = current_database()"
            )
        (stored,) = world.store(Seen())
        event = stream.next_event()

    assert str(stored.id) in event["data"]


def test_more_open_pages_than_allowed_are_told_to_come_back_later(
    world: World, client: httpx.Client
) -> None:
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)
    cookies = dict(client.cookies)

    with (
        serving(other, live_subscribers_max=1) as address,
        httpx.Client(base_url=address, cookies=cookies) as narrow,
        _stream(narrow, f"{STREAM}?after=0") as stream,
    ):
        world.store(Seen())
        stream.next_event()
        refused = narrow.get(f"{STREAM}?after=0")

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"


@pytest.mark.parametrize("after", ["-1", "x", str(2**63)])
def test_a_position_that_is_none_is_refused(client: httpx.Client, after: str) -> None:
    assert client.get(f"{STREAM}?after={after}").status_code == 422
