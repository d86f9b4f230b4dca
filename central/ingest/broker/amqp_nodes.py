# SPDX-License-Identifier: AGPL-3.0-or-later
"""Connections to one of several RabbitMQ nodes: the one place that knows how pika connects."""

import random
import ssl
from dataclasses import dataclass, field
from typing import Final, Protocol

import pika
from pika.exceptions import AMQPError

from central.broker_settings import BrokerSettings, RabbitSettings
from central.devices.rabbitmq.names import VHOST
from central.ingest.broker.port import CONNECT_TIMEOUT_S, RECONNECT_FIRST_S, RECONNECT_MAX_S
from central.settings import read_secret

GROWTH: Final = 2.0

LinkErrors: Final = (AMQPError, OSError)
"""What pika raises when a connection can't be made, or breaks."""


class Waiting(Protocol):
    """An event that ends a wait."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for so many seconds."""


@dataclass(kw_only=True)
class Nodes:
    """Tries the nodes in turn; pauses after each round in vain, longer every time.

    Begins anywhere, so that several ingests spread over the nodes.

    Attributes:
        name: What the connections are for.
        tried: Address of the node that was tried last.
    """

    settings: BrokerSettings
    rabbitmq: RabbitSettings
    name: str
    _rng: random.Random = field(init=False, repr=False)
    _next: int = field(init=False)
    _failures: int = field(default=0, init=False)
    tried: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random()  # noqa: S311  # spreads retries; no secret
        self._next = self._rng.randrange(len(self.rabbitmq.nodes))
        self._credentials = pika.PlainCredentials(
            self.settings.username, read_secret(self.settings.password_file)
        )

    def connect(self) -> pika.BlockingConnection:
        """A connection to the node whose turn it is.

        Raises:
            AMQPError: It is not there, or does not let us in.
            OSError: It can't be reached.
        """
        host, port = self.rabbitmq.addresses[self._next]
        self.tried = self.rabbitmq.nodes[self._next]
        self._next = (self._next + 1) % len(self.rabbitmq.nodes)
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                host=host,
                port=port,
                virtual_host=VHOST,
                credentials=self._credentials,
                ssl_options=self._tls(host),
                heartbeat=int(self.settings.keepalive.total_seconds()),
                connection_attempts=1,
                socket_timeout=CONNECT_TIMEOUT_S,
                stack_timeout=2 * CONNECT_TIMEOUT_S,
                client_properties={"connection_name": f"{self.settings.client_id} {self.name}"},
            )
        )

    def has_worked(self) -> None:
        """The connection did what it was made for: the next loss is no failure in a row."""
        self._failures = 0

    def wait_after_failure(self, stop: Waiting) -> None:
        """Wait as long as the failures so far ask for; not at all before every node was tried."""
        self._failures += 1
        rounds = self._failures // len(self.rabbitmq.nodes)
        if rounds:
            pause_s = min(RECONNECT_MAX_S, RECONNECT_FIRST_S * GROWTH ** min(rounds - 1, 10))
            stop.wait(pause_s * self._rng.uniform(0.5, 1.0))

    def _tls(self, host: str) -> pika.SSLOptions | None:
        if self.settings.ca_file is None:
            return None
        context = ssl.create_default_context(cafile=str(self.settings.ca_file))
        return pika.SSLOptions(context, server_hostname=host)


def reason_of(error: BaseException) -> str:
    """What went wrong, without any value of ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    text = getattr(error, "reply_text", "")
    return f"{type(error).__name__} {text}".strip()
