# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rights at RabbitMQ as patterns: what they let through, without a broker."""

import base64
import hashlib
import re
from random import Random

import pytest

from central.broker_settings import BrokerSettings, RabbitSettings
from central.contracts.topics import EVENT_STREAMS, Stream, Topic
from central.devices.rabbitmq.names import EXCHANGE, INGEST_QUEUE, mqtt_topic, routing_key
from central.devices.rabbitmq.rights import (
    device_rights,
    hashed,
    ingest_rights,
    services_definitions,
)
from central.ingest.broker.amqp_nodes import Nodes

GATE = "gate-1"
SENT = (*EVENT_STREAMS, Stream.HEARTBEAT)
HEARD = (Stream.ACK, Stream.COMMAND)


def key(device_id: str, stream: str) -> str:
    topic = Topic(province="dak-lak", site_id="km12", device_id=device_id, stream=Stream(stream))
    return routing_key(str(topic))


@pytest.mark.parametrize("stream", list(Stream))
def test_a_device_sends_its_events_and_hears_its_answers(stream: Stream) -> None:
    rights = device_rights(GATE)

    assert bool(re.search(rights.topics_write, key(GATE, stream))) == (stream in SENT)
    assert bool(re.search(rights.topics_read, key(GATE, stream))) == (stream in HEARD)


@pytest.mark.parametrize("other", ["gate-2", "gate-11", "a-gate-1", "gate", "gate-1-b"])
def test_a_name_that_resembles_another_opens_none_of_its_topics(other: str) -> None:
    rights = device_rights(GATE)

    assert not any(re.search(rights.topics_write, key(other, stream)) for stream in Stream)
    assert not any(re.search(rights.topics_read, key(other, stream)) for stream in Stream)
    assert not re.search(rights.configure, f"mqtt-subscription-{other}qos1")


@pytest.mark.parametrize(
    "foreign",
    [
        "#",
        "lt.1.#",
        "lt.1.*.*.*.ack",  # everybody's answers
        "lt.1.dak-lak.km12.gate-1.#",  # its own events among them
        "lt.1.dak-lak.km12.gate-1.ack\nlt.1.dak-lak.km12.gate-2.ack",
        "lt.1.a.b.c.gate-1.ack",  # a level too many
        "xlt.1.dak-lak.km12.gate-1.ack",
    ],
)
def test_a_device_listens_to_no_filter_that_is_wider_than_its_name(foreign: str) -> None:
    assert not re.search(device_rights(GATE).topics_read, foreign)


def test_a_device_may_name_its_site_and_province_or_any() -> None:
    rights = device_rights(GATE)

    assert re.search(rights.topics_read, routing_key(f"lt/1/+/+/{GATE}/ack"))
    assert re.search(rights.topics_read, routing_key(f"lt/1/dak-lak/km12/{GATE}/command"))


@pytest.mark.parametrize("name", [INGEST_QUEUE, "amq.direct", "", "amqxtopic", "anything"])
def test_a_device_touches_no_queue_but_its_own(name: str) -> None:
    rights = device_rights(GATE)

    assert not any(re.search(each, name) for each in (rights.configure, rights.write, rights.read))
    assert not re.search(rights.configure, EXCHANGE)
    assert re.search(rights.configure, f"mqtt-subscription-{GATE}qos1")


def test_ingest_reads_everything_and_sends_answers_only() -> None:
    rights = ingest_rights()

    assert all(re.search(rights.topics_read, key(GATE, stream)) for stream in Stream)
    assert [each for each in Stream if re.search(rights.topics_write, key(GATE, each))] == [*HEARD]


def test_the_account_that_gives_accounts_can_read_and_send_nothing() -> None:
    definitions = services_definitions(control_secret="control", ingest_secret="ingest")
    lists = [definitions["permissions"], definitions["topic_permissions"]]

    of_centre = [
        each[right]
        for rows in lists
        if isinstance(rows, list)
        for each in rows
        if each["user"] == "centre"
        for right in ("configure", "write", "read")
        if right in each
    ]

    assert of_centre == ["^$"] * 5


def test_secrets_are_kept_salted_and_hashed() -> None:
    first, second = hashed("secret"), hashed("secret")
    kept = base64.b64decode(first["password_hash"])

    assert kept[4:] == hashlib.sha512(kept[:4] + b"secret").digest()
    assert first["password_hash"] != second["password_hash"]
    assert "secret" not in str(
        services_definitions(control_secret="secret", ingest_secret="secret")
    )


@pytest.mark.parametrize(
    ("topic", "wanted"),
    [
        ("lt/1/dak-lak/km12/gate-1/passage", "lt.1.dak-lak.km12.gate-1.passage"),
        ("lt/1/+/+/+/ack", "lt.1.*.*.*.ack"),
        ("lt/1/dak-lak/km.12/gate-1/passage", "lt.1.dak-lak.km/12.gate-1.passage"),  # no level
    ],
)
def test_a_topic_is_the_same_after_its_way_through_amqp(topic: str, wanted: str) -> None:
    assert routing_key(topic) == wanted
    assert mqtt_topic(wanted) == topic


class _Waits:
    """Stands for the event that ends a wait; remembers how long one would have waited."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits_s.append(timeout)
        return False


def test_every_node_is_tried_before_ingest_waits_and_waits_grow_to_an_end(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    password_file = tmp_path_factory.mktemp("nodes") / "password"
    password_file.write_text("secret")
    rabbitmq = RabbitSettings(nodes=("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"))
    nodes = Nodes(
        settings=BrokerSettings(host="127.0.0.1", password_file=password_file, rabbitmq=rabbitmq),
        rabbitmq=rabbitmq,
        name="events",
    )
    nodes._rng = Random(1)  # noqa: S311  # the same jitter every time
    stop = _Waits()

    for _ in range(2):
        nodes.wait_after_failure(stop)
    assert stop.waits_s == []
    for _ in range(40):
        nodes.wait_after_failure(stop)
    assert 0.5 <= stop.waits_s[0] <= 1
    assert 15 <= stop.waits_s[-1] <= 30
    nodes.has_worked()
    stop.waits_s.clear()
    nodes.wait_after_failure(stop)
    assert stop.waits_s == []
