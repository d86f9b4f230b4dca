# SPDX-License-Identifier: AGPL-3.0-or-later
"""One connection to the broker, from connect to loss: the adapter around paho.

A lost connection is not mended here but replaced: the library would repeat what it still has in
memory beside what the outbox repeats.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Final, Self

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import BrokerRefusedError, BrokerUnreachableError

CONNECT_TIMEOUT_S: Final = 5.0
STOP_CHECK_S: Final = 0.2
KEEPALIVE_S: Final = 20
QOS_AT_LEAST_ONCE: Final = 1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """Where the broker is and who we are.

    Attributes:
        username: The device's name.
        secret: Its password; never shown.
        use_tls: Encrypt and check the broker's certificate.
        ca_file: Certificates to trust; ``None`` means the system's.
        certificate_file: The device's certificate, which says who it is, and no secret is sent;
            ``None`` comes by name and secret.
        key_file: Its private key.
        others: Further nodes of the same broker, as host and port.
    """

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    use_tls: bool = True
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    others: tuple[tuple[str, int], ...] = ()

    def at_turn(self, turn: int) -> Self:
        """The same access to the node whose turn it is; the first one has turn 0."""
        addresses = ((self.host, self.port), *self.others)
        host, port = addresses[turn % len(addresses)]
        return replace(self, host=host, port=port)


class Link:
    """A connection that is used once: open, publish, lost or closed."""

    def __init__(
        self,
        access: BrokerAccess,
        *,
        ack_topic: str,
        on_ack: Callable[[bytes], None],
        on_change: Callable[[], None],
        command_topic: str | None = None,
        on_command: Callable[[bytes], None] | None = None,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            access: Broker and credentials.
            ack_topic: Topic on which acknowledgements come; subscribed before anything is sent.
            on_ack: Takes their payloads, in the library's thread: must be quick.
            command_topic: Topic on which the centre asks for something; ``None`` asks nothing. A
                broker that does not allow it is no reason to send nothing.
            on_command: Takes those payloads, in the library's thread: must be quick.
            on_change: Called when the connection is lost, in the library's thread.
        """
        self._access = access
        self._ack_topic = ack_topic
        self._on_ack = on_ack
        self._on_change = on_change
        self._command_topic = command_topic
        self._on_command = on_command
        self._ack_subscription: int | None = None
        self._ready = Event()
        self._lost = Event()
        self._refusal = ""
        self.events_rejected = 0
        self._client = self._make_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether the broker answered and has not been lost since."""
        return self._ready.is_set() and not self._lost.is_set()

    def open(self, stop: Event) -> None:
        """Connect, log in and subscribe; comes back early, not open, when told to stop.

        Args:
            stop: Ends the wait for the broker's answer when set.

        Raises:
            BrokerUnreachableError: Nobody answers in time, or the certificate is wrong.
            BrokerRefusedError: The broker does not accept the device or its topics.
        """
        try:
            self._client.connect(
                self._access.host, self._access.port, keepalive=KEEPALIVE_S, clean_start=True
            )
        except (OSError, ValueError) as error:
            raise self._unreachable(_reason(error)) from error
        self._client.loop_start()
        deadline_s = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._ready.wait(STOP_CHECK_S) and not stop.is_set():
            if time.monotonic() >= deadline_s:
                raise self._unreachable(f"no answer within {CONNECT_TIMEOUT_S:.0f} s")
        if self._refusal:
            raise BrokerRefusedError(
                host=self._access.host, port=self._access.port, reason=self._refusal
            )
        if self._lost.is_set():
            raise self._unreachable("it hung up")

    def publish(self, topic: str, payload: bytes, *, expires_after_s: int | None = None) -> None:
        """Send one message at least once.

        Args:
            topic: Where to.
            payload: What.
            expires_after_s: The broker forgets it after this time; ``None`` means never.

        Raises:
            BrokerUnreachableError: The connection is lost.
        """
        # The library leaves this one constructor without types.
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expires_after_s is not None:
            properties.MessageExpiryInterval = expires_after_s
        info = self._client.publish(topic, payload, qos=QOS_AT_LEAST_ONCE, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose()
            raise self._unreachable("the connection was lost")

    def close(self) -> None:
        """Say goodbye and end the library's thread; a second call does nothing."""
        self._client.disconnect()
        self._client.loop_stop()
        self._lost.set()

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._access.username,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        if self._access.certificate_file is None:
            client.username_pw_set(self._access.username, self._access.secret)
        client.connect_timeout = CONNECT_TIMEOUT_S
        if self._access.use_tls:
            context = ssl.create_default_context(
                cafile=None if self._access.ca_file is None else str(self._access.ca_file)
            )
            self._show_certificate(context)
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        """Prove who we are by certificate where there is one."""
        files = self._access.certificate_file, self._access.key_file
        if files[0] is None:
            return
        try:
            context.load_cert_chain(files[0], files[1])
        except OSError as error:  # ssl.SSLError among them
            raise self._unreachable("the device's own certificate can't be read") from error

    def _unreachable(self, reason: str) -> BrokerUnreachableError:
        return BrokerUnreachableError(host=self._access.host, port=self._access.port, reason=reason)

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self._lost.set()
        self._ready.set()

    def _lose(self) -> None:
        self._lost.set()
        self._ready.set()
        self._on_change()

    # The library calls these with its own values, `userdata` among them, which is typed Any.
    def _connected(
        self,
        client: Client,
        _userdata: Any,  # noqa: ANN401
        _flags: ConnectFlags,
        reason_code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason_code.is_failure:
            self._refuse(str(reason_code))
            return
        self._ack_subscription = client.subscribe(self._ack_topic, qos=QOS_AT_LEAST_ONCE)[1]
        if self._command_topic is not None:
            client.subscribe(self._command_topic, qos=QOS_AT_LEAST_ONCE)

    def _subscribed(
        self,
        _client: Client,
        _userdata: Any,  # noqa: ANN401
        mid: int,
        reason_codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if mid != self._ack_subscription:
            if any(code.is_failure for code in reason_codes):
                log.warning("broker_refused_commands", reason=str(reason_codes[0]))
            return
        if any(code.is_failure for code in reason_codes):
            self._refuse(f"acknowledgements may not be read ({reason_codes[0]})")
            return
        self._ready.set()

    def _disconnected(
        self,
        _client: Client,
        _userdata: Any,  # noqa: ANN401
        _flags: DisconnectFlags,
        reason_code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        log.info("broker_disconnected", reason=str(reason_code))
        self._lose()

    def _published(
        self,
        _client: Client,
        _userdata: Any,  # noqa: ANN401
        _mid: int,
        reason_code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason_code.is_failure:
            self.events_rejected += 1
            log.error("broker_rejected_message", reason=str(reason_code))

    def _received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:  # noqa: ANN401
        if message.topic == self._command_topic:
            if self._on_command is not None:
                self._on_command(bytes(message.payload))
            return
        self._on_ack(bytes(message.payload))


def _reason(error: OSError | ValueError) -> str:
    """What went wrong, in the system's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
