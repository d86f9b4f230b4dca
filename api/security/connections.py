# SPDX-License-Identifier: AGPL-3.0-or-later
"""Limits how long one connection may take to say what it wants, and how it may be encrypted.

uvicorn waits for ever for the rest of a header or a body: a few hundred slow connections would
use up every place. And its own choice for TLS 1.2 takes suites without forward secrecy. Give it
this protocol with ``--http api.security.connections:GuardedProtocol``.
"""

import asyncio
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

TLS_1_3_SUITES: Final = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
)
TLS_1_2_SUITES: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
"""Authenticated encryption whose keys nobody finds out later, by OpenSSL's names, strongest first.
Whoever serves with a key of ours, the brokers as well, takes no others."""

CONNECTIONS_MAX: Final = 1_000
"""Connections of one process, open live pages among them; further ones are answered with 503."""


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for every header and every body.

    Attributes:
        header_timeout_s: From the first byte, or from connecting, to the end of the headers.
        body_timeout_s: From there to the end of the body. Lower: weak links of devices that send
            large pictures are cut off; higher: a slow attacker keeps a place for longer.
    """

    header_timeout_s: ClassVar[float] = 15.0
    body_timeout_s: ClassVar[float] = 120.0
    _deadline: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # any object of the lifespan, as uvicorn has it
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Make one before its handshake; the suites then hold for whoever serves with a key."""
        super().__init__(config, server_state, app_state, _loop)
        if config.ssl is not None:
            config.ssl.set_ciphers(":".join(TLS_1_2_SUITES))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Wait for the first header from now on."""
        super().connection_made(transport)
        self._expect(self.header_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a further request start its deadline."""
        is_idle = self.timeout_keep_alive_task is not None
        if is_idle:
            self._expect(self.header_timeout_s)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The headers are in; the body comes next."""
        self._expect(self.body_timeout_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is in; how long the answer takes is our own affair."""
        self._release()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._release()
        super().connection_lost(exc)

    def _expect(self, timeout_s: float) -> None:
        self._release()
        self._deadline = self.loop.call_later(timeout_s, self._hang_up)

    def _release(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        self.transport.close()
