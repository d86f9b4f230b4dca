# SPDX-License-Identifier: AGPL-3.0-or-later
"""Network links that can be cut, stalled, delayed, and made to repeat and reorder messages.

Each is a TCP proxy on loopback; all of them run in one thread.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from deploy.local.ports import LOOPBACK
from tests.chaos.breaking.packets import Disturber, PacketSplitter

CHUNK_BYTES: Final = 65_536
START_TIMEOUT_S: Final = 10.0


@dataclass(kw_only=True)
class Link:
    """One way through the network; its state is changed from the proxies' own thread only."""

    name: str
    target_port: int
    port: int = 0
    is_cut: bool = False
    delay_s: float = 0.0
    disturber: Disturber | None = None
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    transports: set[asyncio.WriteTransport] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until an end closes it, it is cut, or the whole network ends."""
        with contextlib.suppress(asyncio.CancelledError):  # the library would log it as an error
            await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer.transport, far_writer.transport}
        self.transports |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, outwards=True))
                group.create_task(self._pump(far_reader, writer, outwards=False))
        except* OSError:
            pass  # an end closed the connection, or it was cut
        finally:
            self.transports -= ends
            for transport in ends:
                transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outwards: bool
    ) -> None:
        """Carry one direction; ends both by an error when its source ends."""
        splitter = PacketSplitter()
        while chunk := await reader.read(CHUNK_BYTES):
            await self.flows.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if outwards and self.name.endswith("to broker"):
                packets = splitter.split(chunk)
                if self.disturber is not None:
                    packets = self.disturber.disturb(packets)
                chunk = b"".join(packets)
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError

    def abort(self) -> None:
        """Break every connection that is open."""
        for transport in tuple(self.transports):
            transport.abort()


class Network:
    """All links of a run, by name; a context manager that carries them."""

    def __init__(self, targets: Iterable[tuple[str, int]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos-network")
        self._links = {name: Link(name=name, target_port=port) for name, port in targets}
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait_for(self._open())
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._wait_for(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)
        self._loop.close()

    def port(self, name: str) -> int:
        """Where to connect to go over a link."""
        return self._links[name].port

    def cut(self, name: str) -> None:
        """Break the link's connections and let none be made."""

        def change(link: Link) -> None:
            link.is_cut = True
            link.abort()

        self._change(name, change)

    def stall(self, name: str) -> None:
        """Let nothing through; connections stay."""
        self._change(name, lambda link: link.flows.clear())

    def delay(self, name: str, *, delay_s: float) -> None:
        """Let everything come later."""
        self._change(name, lambda link: setattr(link, "delay_s", delay_s))

    def disturb(self, name: str, *, share: float, rng: random.Random) -> None:
        """Let messages come twice and in another order."""
        self._change(name, lambda link: setattr(link, "disturber", Disturber(rng, share=share)))

    def mend(self, name: str) -> None:
        """Let the link work again."""

        def change(link: Link) -> None:
            link.is_cut, link.delay_s, link.disturber = False, 0.0, None
            link.flows.set()

        self._change(name, change)

    def _change(self, name: str, change: Callable[[Link], None]) -> None:
        async def apply() -> None:
            change(self._links[name])

        self._wait_for(apply())

    async def _open(self) -> None:
        for link in self._links.values():
            link.flows.set()
            server = await asyncio.start_server(link.carry, LOOPBACK, 0)
            link.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for link in self._links.values():
            link.flows.set()
            link.abort()
        me = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not me]
        for task in others:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*others, return_exceptions=True)

    # The library's coroutines carry a type for each of their three channels; two are not used.
    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_TIMEOUT_S)
