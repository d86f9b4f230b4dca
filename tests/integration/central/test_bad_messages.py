# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a device sends is stored or kept in quarantine, is acknowledged, and stops nobody."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from central.contracts.topics import EVENT_STREAMS, Stream, Topic
from central.ingest.parsing import parse
from central.ingest.types import (
    Delivery,
    HeartbeatMessage,
    Reason,
    RejectedMessage,
)
from central.sites.service import register_device
from central.sites.types import Registration
from tests.fuzz.command import SAMPLES, STREAMS
from tests.fuzz.mutating import NASTY
from tests.fuzz.property import check, delivery_of, kept_messages
from tests.integration.central.written import Written

if TYPE_CHECKING:
    from tests.integration.central.conftest import DeviceLink, FakeDevice, IngestRunner

PROVINCE: Final = "dak-lak"
KNOWN: Final = {
    "gate-01": ("tram-so-1", "lane-1"),
    "toll-01": ("tram-thu-phi-so-1", "lan-vao"),
}
"""Site and camera of the devices that the contracts' samples name."""
TEN_MEGABYTES: Final = 10_000_000
HOSTILE: Final = (
    *(each for each in NASTY if isinstance(each, str) and each.isprintable() and each),
    "Robert'); DROP TABLE passage;--",
    '"><img src=x onerror=alert(1)>',
    "${jndi:ldap://127.0.0.1/a}",
    "\\x00\\u0000",
    "20A-123.45\t\n",
)


@pytest.fixture
def known(database_url: str) -> None:
    """The centre knows the samples' devices."""
    for device_id, (site_id, camera_id) in KNOWN.items():
        register_device(
            database_url,
            Registration(
                device_id=device_id,
                site_id=site_id,
                province=PROVINCE,
                site_name=site_id,
                camera_ids=(camera_id,),
            ),
            now=datetime.now(UTC),
        )


def sample(name: str, **changes: object) -> dict[str, Any]:
    """A sample that happened just now, as another event."""
    message: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return {**message, "id": str(uuid7()), "outbox_id": str(uuid4()), **changes}


def topic_of(message: dict[str, Any], stream: Stream) -> str:
    site_id, device_id = str(message["site_id"]), str(message["device_id"])
    return str(Topic(province=PROVINCE, site_id=site_id, device_id=device_id, stream=stream))


def accounted(rows: psycopg.Connection, deliveries: Sequence[Delivery]) -> list[bool]:
    """Whether each delivery is a row or stands in quarantine.

    One that names an event that is there already, by its id, is a repeat of it. Of heartbeats the
    newest counts, and of broken ones one of each kind is kept.
    """
    identities = rows.execute("SELECT id FROM passage_identity").fetchall()
    quarantine = rows.execute("SELECT payload, event_id FROM quarantine").fetchall()
    held = {bytes(payload) for payload, _ in quarantine}
    ids = {*(row[0] for row in identities), *(event_id for _, event_id in quarantine)}
    found = list[bool]()
    for each in deliveries:
        parsed = parse(each)
        envelope = None if isinstance(parsed, HeartbeatMessage) else parsed.envelope
        is_repeat = envelope is not None and envelope.event_id in ids
        found.append(is_repeat or each.payload in held or each.topic.endswith("/heartbeat"))
    return found


@pytest.mark.parametrize("path", kept_messages(), ids=lambda path: path.stem)
def test_a_message_that_fuzzing_kept_is_read_right(path: Path) -> None:
    check(path.read_bytes())


@pytest.mark.usefixtures("known")
def test_everything_that_fuzzing_kept_is_a_row_or_in_quarantine(
    database_url: str, rows: psycopg.Connection
) -> None:
    deliveries = [delivery_of(path.read_bytes()) for path in kept_messages()]

    Written(database_url, deliveries).run()

    assert len(deliveries) > 50
    assert all(accounted(rows, deliveries))


@pytest.mark.usefixtures("known")
def test_hostile_text_in_any_field_is_kept_as_text_and_stops_nothing(
    database_url: str, rows: psycopg.Connection
) -> None:
    rng = random.Random(6)  # noqa: S311  # made messages
    deliveries = [
        Delivery(topic=topic_of(message, stream), payload=json.dumps(changed).encode())
        for _ in range(60)
        for name, stream in STREAMS.items()
        for message in [sample(name)]
        for changed in [hostile(message, rng)]
    ]

    Written(database_url, deliveries).run()

    assert all(accounted(rows, deliveries))
    reasons = {row[0] for row in rows.execute("SELECT reason FROM quarantine").fetchall()}
    assert Reason.REFUSED_BY_DATABASE not in reasons


def hostile(message: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The message with hostile texts in some of its fields, however deep."""

    def visit(value: object) -> object:
        match value:
            case dict():
                return {key: visit(each) for key, each in value.items()}
            case list():
                return [visit(each) for each in value]
            case str() if rng.random() < 0.1:
                return rng.choice(HOSTILE)
        return value

    changed = visit(message)
    assert isinstance(changed, dict)
    return changed


@pytest.mark.parametrize("depth", [100, 3_000, 30_000])
@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'{"plate":'])
@pytest.mark.parametrize("stream", [*EVENT_STREAMS, Stream.HEARTBEAT])
def test_json_that_is_nested_deep_is_refused(stream: Stream, opened: bytes, depth: int) -> None:
    message = json.dumps(sample("passage-1")).encode()
    for payload in (opened * depth, message[:-1] + b', "more": ' + opened * depth):
        topic = topic_of(sample("passage-1"), stream)
        parsed = parse(Delivery(topic=topic, payload=payload))

        assert isinstance(parsed, RejectedMessage)
        assert parsed.reason in {Reason.NOT_JSON, Reason.TOO_BIG, Reason.CONTRACT_BROKEN}


def test_two_devices_with_one_identity_are_both_stored_whole(
    database_url: str, device: "FakeDevice", rows: psycopg.Connection, new_device: Callable[[], Any]
) -> None:
    twin = new_device()
    twin.device_id = device.device_id
    clone = new_device()
    clone.device_id, clone.outbox_id = device.device_id, device.outbox_id
    events = [each.passage(seq) for seq in (1, 2, 3) for each in (device, twin, clone)]
    deliveries = [Delivery(topic=device.topic(), payload=each.to_json()) for each in events]

    Written(database_url, deliveries).run()

    stored = rows.execute("SELECT count(*) FROM passage").fetchone()
    held = rows.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason").fetchall()
    assert stored == (6,)  # both outboxes
    assert held == [(Reason.SEQ_REUSED, 3)]  # the clone of an outbox uses its numbers again


def test_a_message_of_ten_megabytes_ends_at_the_broker_and_others_go_on(
    device: "FakeDevice",
    linked: Callable[["FakeDevice"], "DeviceLink"],
    ingest: "IngestRunner",
    count: Callable[[str], int],
) -> None:
    with ingest.running():
        link = linked(device)
        link.client.publish(device.topic(), b"[" * TEN_MEGABYTES, qos=0)
        sender = linked(device)
        sender.send(device.passage(1))
        sender.wait_for_ack(1)

    assert (count("passage"), count("quarantine")) == (1, 0)
