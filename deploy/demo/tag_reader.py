# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reader of toll tags on loopback that speaks LLRP 1.0.1 over TCP.

It answers as fixed UHF readers on the market do: it tells its capabilities, takes one inventory
order (ROSpec) and reports every answer of a tag with antenna, strength and time, while the tag
passes. Which tag passes when is a schedule. The codec is written from EPCglobal's LLRP 1.0.1,
chapter 16, and shares nothing with the library that the edge uses, so that each checks the other.
What readers do wrong can be asked for: they die, fall silent, or send rubbish.
"""

import math
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from threading import Event, Lock, Thread
from typing import Final, Self

from deploy.demo.tag_messages import (
    ConnectionAttempt,
    Header,
    MessageKind,
    StatusCode,
    antennas_of_rospec,
    capabilities,
    connection_event,
    keepalive_of_config,
    message,
    status,
    tag_report,
)
from deploy.local.ports import LOOPBACK

ANTENNAS: Final = 4
ANSWER_EVERY_S: Final = 0.05
WEAKEST_DBM: Final = -70.0
STRONGEST_DBM: Final = -45.0
TICK_S: Final = 0.01
MESSAGE_BYTES_MAX: Final = 1_048_576
RECEIVE_BYTES: Final = 65_536
JOIN_LIMIT_S: Final = 5.0
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPass:
    """One tag that passes one antenna.

    Attributes:
        at_s: When it is nearest, in seconds after the schedule began.
        antenna: From 1.
        epc: The tag's code in hex; 12 bytes go out as EPC-96, others as EPC data.
        seconds: How long it answers, half of it before ``at_s``.
        strongest_dbm: Strength at ``at_s``.
    """

    at_s: float
    antenna: int
    epc: str
    seconds: float = 0.6
    strongest_dbm: float = STRONGEST_DBM


class Fault(IntEnum):
    """What the reader does wrong."""

    NONE = 0
    SILENT = 1
    """The connection stands and nothing comes, not even keepalives."""
    MUTE = 2
    """It accepts connections and never says a word."""


@dataclass(slots=True)
class _Session:
    """One connection of a client."""

    link: socket.socket
    send_lock: Lock = field(default_factory=Lock)
    antennas: tuple[int, ...] = ()
    has_rospec: bool = False
    is_reading: bool = False
    keepalive_s: float = 0.0
    keepalive_due_s: float = 0.0
    number: int = 0

    def send(self, data: bytes) -> None:
        with self.send_lock, suppress(OSError):
            self.link.sendall(data)

    def next_number(self) -> int:
        self.number += 1
        return self.number


class TagReaderEmulator:
    """The reader as a server with threads of its own; used as a context manager."""

    def __init__(
        self,
        passes: Iterable[TagPass] = (),
        *,
        port: int = 0,
        starts_with_inventory: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing listens before ``start``.

        Args:
            passes: The schedule.
            port: Loopback port; 0 takes a free one.
            starts_with_inventory: Whether the schedule begins when a client first starts an
                inventory; otherwise with ``start``.
            clock: Gives the reader's own time in seconds since 1970; it may be wrong.
        """
        self._passes = sorted(passes, key=lambda each: each.at_s)
        self._starts_with_inventory = starts_with_inventory
        self._clock = clock
        self._wanted_port = port
        self._listener: socket.socket | None = None
        self._threads: list[Thread] = []
        self._stop = Event()
        self._lock = Lock()
        self._session: _Session | None = None
        self._began_s: float | None = None
        self._reported: set[tuple[int, int]] = set()
        self.fault = Fault.NONE
        self.port = port
        self.connections = 0
        self.reports = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_reading(self) -> bool:
        """Whether a client has an inventory running."""
        with self._lock:
            return self._session is not None and self._session.is_reading

    @property
    def has_client(self) -> bool:
        """Whether a client is connected; a second one is refused meanwhile."""
        with self._lock:
            return self._session is not None

    @property
    def is_over(self) -> bool:
        """Whether every tag of the schedule has passed."""
        with self._lock:
            if self._began_s is None:
                return not self._passes
            elapsed_s = time.monotonic() - self._began_s
            return all(each.at_s + each.seconds / 2 < elapsed_s for each in self._passes)

    def start(self) -> None:
        """Listen; a reader that was stopped comes back on the same port."""
        self._stop.clear()
        self._listener = socket.create_server((LOOPBACK, self.port or self._wanted_port))
        self.port = self._listener.getsockname()[1]
        if not self._starts_with_inventory and self._began_s is None:
            self._began_s = time.monotonic()
        self._threads = [
            Thread(target=self._accept, args=(self._listener,), name="reader-accept", daemon=True),
            Thread(target=self._report, name="reader-report", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Go away, as if the power were cut."""
        self._stop.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(JOIN_LIMIT_S)

    def hang_up(self) -> None:
        """Cut the client's connection."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            with suppress(OSError):
                session.link.shutdown(socket.SHUT_RDWR)
            session.link.close()

    def pass_tag(self, epc: str, *, antenna: int = 1, **changes: float) -> None:
        """Let a tag pass now, beside the schedule: the first answer comes at once."""
        with self._lock:
            if self._began_s is None:
                self._began_s = time.monotonic()
            now_s = time.monotonic() - self._began_s
            tag = TagPass(at_s=0.0, antenna=antenna, epc=epc, **changes)
            self._passes.append(
                TagPass(
                    at_s=now_s + tag.seconds / 2,
                    antenna=antenna,
                    epc=epc,
                    seconds=tag.seconds,
                    strongest_dbm=tag.strongest_dbm,
                )
            )

    def send_raw(self, data: bytes) -> None:
        """Send any bytes to the client."""
        with self._lock:
            session = self._session
        if session is not None:
            session.send(data)

    # Connections --------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                link, _address = listener.accept()
            except OSError:
                return
            self.connections += 1
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = _Session(link=link)
            with self._lock:
                is_taken = self._session is not None
                if not is_taken:
                    self._session = session
            attempt = ConnectionAttempt.IN_USE if is_taken else ConnectionAttempt.SUCCESS
            if self.fault is not Fault.MUTE:
                session.send(connection_event(attempt, at_us=self._now_us()))
            if is_taken:
                link.close()
                continue
            thread = Thread(target=self._serve, args=(session,), name="reader-serve", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, session: _Session) -> None:
        """Answer one client until it goes."""
        waiting = bytearray()
        try:
            while data := session.link.recv(RECEIVE_BYTES):
                waiting += data
                while len(waiting) >= Header.SIZE:
                    header = Header.read(waiting)
                    if not Header.SIZE <= header.length <= MESSAGE_BYTES_MAX:
                        return
                    if len(waiting) < header.length:
                        break
                    body = bytes(waiting[Header.SIZE : header.length])
                    del waiting[: header.length]
                    if self.fault is Fault.NONE:
                        self._answer(session, header, body)
        except (OSError, ValueError, struct.error):
            return
        finally:
            self._forget(session)

    def _forget(self, session: _Session) -> None:
        with self._lock:
            if self._session is session:
                self._session = None
        session.link.close()

    def _answer(self, session: _Session, header: Header, body: bytes) -> None:
        kind = header.kind
        if kind in {MessageKind.KEEPALIVE_ACK, MessageKind.ENABLE_EVENTS_AND_REPORTS}:
            return
        answer_kind = _ANSWERS.get(kind)
        if answer_kind is None:
            problem = status(StatusCode.UNSUPPORTED_MESSAGE, "not known here")
            session.send(message(MessageKind.ERROR_MESSAGE, header.number, problem))
            return
        content = self._obey(session, kind, body)
        session.send(message(answer_kind, header.number, content))

    def _obey(self, session: _Session, kind: int, body: bytes) -> bytes:
        """Do what a message asks, and return the content of the answer."""
        match kind:
            case MessageKind.GET_READER_CAPABILITIES:
                return status() + capabilities(antennas=ANTENNAS)
            case MessageKind.SET_READER_CONFIG:
                session.keepalive_s = keepalive_of_config(body)
                session.keepalive_due_s = time.monotonic() + session.keepalive_s
            case MessageKind.ADD_ROSPEC:
                if session.has_rospec:
                    return status(StatusCode.FIELD_INVALID, "one order at a time")
                session.antennas = antennas_of_rospec(body)
                if any(antenna > ANTENNAS for antenna in session.antennas):
                    return status(StatusCode.FIELD_INVALID, "no such antenna")
                session.has_rospec = True
            case MessageKind.ENABLE_ROSPEC | MessageKind.START_ROSPEC:
                if not session.has_rospec:
                    return status(StatusCode.FIELD_INVALID, "no such order")
                self._begin(session)
            case MessageKind.DELETE_ROSPEC | MessageKind.DISABLE_ROSPEC | MessageKind.STOP_ROSPEC:
                session.is_reading = False
                session.has_rospec = session.has_rospec and kind != MessageKind.DELETE_ROSPEC
            case _:
                pass
        return status()

    def _begin(self, session: _Session) -> None:
        with self._lock:
            session.is_reading = True
            if self._began_s is None:
                self._began_s = time.monotonic()

    # Tags ---------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Send the answers of passing tags, and keepalives, when they are due."""
        while not self._stop.wait(TICK_S):
            with self._lock:
                session = self._session
                passes: Sequence[TagPass] = tuple(self._passes)
                began_s = self._began_s
            if session is None or self.fault is not Fault.NONE:
                continue
            now_s = time.monotonic()
            if session.keepalive_s and now_s >= session.keepalive_due_s:
                session.keepalive_due_s = now_s + session.keepalive_s
                session.send(message(MessageKind.KEEPALIVE, session.next_number(), b""))
            if session.is_reading and began_s is not None:
                self._send_answers(session, passes, now_s - began_s)

    def _send_answers(self, session: _Session, passes: Sequence[TagPass], elapsed_s: float) -> None:
        for place, each in enumerate(passes):
            since_s = elapsed_s - (each.at_s - each.seconds / 2)
            if not 0 <= since_s <= each.seconds or not _hears(session, each.antenna):
                continue
            answer = (place, math.floor(since_s / ANSWER_EVERY_S))
            if answer in self._reported:
                continue
            self._reported.add(answer)
            self.reports += 1
            session.send(
                tag_report(
                    session.next_number(),
                    epc=bytes.fromhex(each.epc),
                    antenna=each.antenna,
                    rssi_dbm=_strength_dbm(each, elapsed_s),
                    at_us=self._now_us(),
                )
            )

    def _now_us(self) -> int:
        return int(self._clock() * _MICROSECONDS)


def _hears(session: _Session, antenna: int) -> bool:
    """Whether the inventory uses this antenna; 0 in it means all."""
    return 0 in session.antennas or antenna in session.antennas


def _strength_dbm(each: TagPass, elapsed_s: float) -> int:
    """Strongest when the tag is nearest, falling to both sides."""
    distance = min(1.0, abs(elapsed_s - each.at_s) / (each.seconds / 2))
    return round(each.strongest_dbm + (WEAKEST_DBM - STRONGEST_DBM) * distance)


_ANSWERS: Final[Mapping[int, MessageKind]] = {
    MessageKind.GET_READER_CAPABILITIES: MessageKind.GET_READER_CAPABILITIES_RESPONSE,
    MessageKind.GET_READER_CONFIG: MessageKind.GET_READER_CONFIG_RESPONSE,
    MessageKind.SET_READER_CONFIG: MessageKind.SET_READER_CONFIG_RESPONSE,
    MessageKind.CLOSE_CONNECTION: MessageKind.CLOSE_CONNECTION_RESPONSE,
    MessageKind.ADD_ROSPEC: MessageKind.ADD_ROSPEC_RESPONSE,
    MessageKind.DELETE_ROSPEC: MessageKind.DELETE_ROSPEC_RESPONSE,
    MessageKind.START_ROSPEC: MessageKind.START_ROSPEC_RESPONSE,
    MessageKind.STOP_ROSPEC: MessageKind.STOP_ROSPEC_RESPONSE,
    MessageKind.ENABLE_ROSPEC: MessageKind.ENABLE_ROSPEC_RESPONSE,
    MessageKind.DISABLE_ROSPEC: MessageKind.DISABLE_ROSPEC_RESPONSE,
    MessageKind.DELETE_ACCESSSPEC: MessageKind.DELETE_ACCESSSPEC_RESPONSE,
}
