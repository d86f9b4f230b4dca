# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plays a clip at the toll lane: camera and tag reader at once, and one message twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Final, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from psycopg import AsyncConnection

from central.contracts.topics import Stream, Topic
from central.devices.broker_rights import INGEST_USERNAME
from central.sites.service import SiteService
from central.sites.types import Position
from deploy.demo.choices import View
from deploy.demo.device import PROVINCE, DemoDevice, DeviceRole, ready_device, write_site_file
from deploy.demo.playing import PlayOrder, play
from deploy.demo.story.cast import Cast
from deploy.demo.story.clips import LaneClip
from deploy.demo.story.files import CAMERA, LANE, READER, SITE, STATION_NAME
from deploy.demo.tag_reader import TagPass, TagReaderEmulator
from deploy.errors import LocalStackError
from deploy.local.stack import LocalStack
from edge.errors import EXIT_INTERRUPTED, EXIT_OK

DEVICE: Final = DeviceRole(
    device_id="toll-01",
    site_id=SITE,
    site_name=STATION_NAME,
    position=Position(latitude=12.75, longitude=108.32),
    camera_id=CAMERA,
    reader_id=READER,
    lane=LANE,
)
TAG_AHEAD_S: Final = 2.5
"""The antenna hangs before the line: a tag answers when the camera sees its plate best."""

CONNECT_LIMIT_S: Final = 10.0
MESSAGES_MAX: Final = 1000
LEAST_ONCE: Final = 1
_PASSAGE_TOPIC: Final = str(
    Topic(province=PROVINCE, site_id=SITE, device_id=DEVICE.device_id, stream=Stream.PASSAGE)
)


class LaneError(LocalStackError):
    """The lane could not be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What went over the broker while a clip was played.

    Attributes:
        began_at: Aware time before the first frame.
        passages: The camera's messages, byte for byte, in the order of arrival.
    """

    began_at: datetime
    passages: tuple[bytes, ...]

    def message_about(self, plate: str) -> bytes:
        """The camera's message about a plate.

        Raises:
            LaneError: There is none.
        """
        for payload in self.passages:
            if (json.loads(payload).get("plate") or {}).get("text") == plate:
                return payload
        raise LaneError("the camera sent no message about the truck")


def ready_lane(stack: LocalStack, folder: Path, *, now: datetime) -> DemoDevice:
    """Register the lane's device, with its camera."""
    return ready_device(stack, folder, now=now, role=DEVICE)


def play_lane(
    stack: LocalStack,
    device: DemoDevice,
    clip: LaneClip,
    cast: Cast,
    *,
    now: datetime,
    on_poll: Callable[[float], None],
) -> Played:
    """Let vehicles drive through the lane, their tags answering while they do.

    Args:
        stack: A running stack.
        device: The lane's device.
        clip: What the camera sees.
        cast: Tells which tag each vehicle carries.
        now: Aware time.
        on_poll: Called about twice a second with the seconds since the start.

    Raises:
        LaneError: The device failed, or not everything was acknowledged.
        KeyboardInterrupt: It was interrupted.
    """
    tags = passing_tags(clip, cast)
    with TagReaderEmulator(tags) as reader, Tap(stack) as tap:
        write_site_file(stack, device, reader_port=reader.port)
        order = PlayOrder(
            source=str(clip.video),
            view=View.GATE,
            log_file=stack.layout.log_file(DEVICE.device_id),
        )
        code = play(device, order, on_poll=on_poll)
        if code == EXIT_INTERRUPTED:
            raise KeyboardInterrupt
        if code != EXIT_OK:
            raise LaneError(f"the lane's device ended with code {code}; its log: {order.log_file}")
        return Played(began_at=now, passages=tap.messages)


def passing_tags(clip: LaneClip, cast: Cast) -> Sequence[TagPass]:
    """When each vehicle's tag is nearest to the antenna."""
    return [
        TagPass(at_s=planned.line_s - TAG_AHEAD_S, antenna=1, epc=cast.tag_carried_by(member))
        for planned, member in zip(clip.plan.vehicles, clip.members, strict=True)
    ]


def deliver_again(stack: LocalStack, device: DemoDevice, payload: bytes) -> None:
    """Send a message of the device a second time, byte for byte, as after a lost answer.

    Raises:
        LaneError: The broker did not take it.
    """
    secret = device.secret_file.read_text(encoding="utf-8").strip()
    with _Connection(stack, username=DEVICE.device_id, secret=secret) as client:
        sent = client.publish(_PASSAGE_TOPIC, payload, qos=LEAST_ONCE)
        sent.wait_for_publish(CONNECT_LIMIT_S)
        if not sent.is_published():
            raise LaneError("the broker did not take the message a second time")


async def repeats(connection: AsyncConnection) -> int:
    """How many messages of the lane's device came again so far and were not stored again."""
    streams = await SiteService(connection).completeness(DEVICE.device_id)
    return sum(each.doubled_count for each in streams)


class Tap:
    """Listens to the lane's camera with the rights of ingest."""

    def __init__(self, stack: LocalStack) -> None:
        self._messages: list[bytes] = []
        self._lock = Lock()
        secret = stack.layout.ingest_secret_file.read_text(encoding="utf-8").strip()
        self._connection = _Connection(stack, username=INGEST_USERNAME, secret=secret)

    @property
    def messages(self) -> tuple[bytes, ...]:
        """What was heard so far."""
        with self._lock:
            return tuple(self._messages)

    def __enter__(self) -> Self:
        client = self._connection.__enter__()
        heard = Event()
        client.on_message = self._take
        client.on_subscribe = lambda *_: heard.set()
        client.subscribe(_PASSAGE_TOPIC, qos=LEAST_ONCE)
        if not heard.wait(CONNECT_LIMIT_S):
            raise LaneError("the broker lets nobody listen to the lane")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._lock:
            if len(self._messages) < MESSAGES_MAX:
                self._messages.append(bytes(message.payload))


class _Connection:
    """A client of the stack's broker, connected for the length of a block."""

    def __init__(self, stack: LocalStack, *, username: str, secret: str) -> None:
        state = stack.state
        self._host, self._port = state.broker_host, state.broker_port
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(username, secret)

    def __enter__(self) -> Client:
        connected = Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(self._host, self._port)
        self._client.loop_start()
        if not connected.wait(CONNECT_LIMIT_S) or not self._client.is_connected():
            self._client.loop_stop()
            raise LaneError("the broker can't be reached")
        return self._client

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
