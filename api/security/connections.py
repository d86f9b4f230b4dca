# SPDX-License-Identifier: AGPL-3.0-or-later
"""Limits how long one connection may take to say what it wants.

uvicorn waits for ever for the rest of a header or a body: a few hundred slow connections would
use up every place. Give it this protocol with ``--http api.security.connections:GuardedProtocol``.
"""

import asyncio
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
