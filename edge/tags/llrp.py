# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers that speak LLRP 1.0.1 or 1.1 (EPCglobal), with ``sllurp`` for what is said.

``sllurp`` knows the messages and the order in which they are exchanged. The connection is ours:
its own loop waits without a limit, keeps on collecting when a length is wrong, and ends without a
word when something unexpected comes.
"""

import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any, Final

# The library publishes no types.
from sllurp.llrp import (
    LLRPClient,
    LLRPMessage,
    LLRPReaderConfig,
    LLRPReaderState,
)
from sllurp.llrp_errors import LLRPError

from edge.errors import ReaderError, ReaderLostError, ReaderRefusedError
from edge.tags.clock import ReaderClock
from edge.tags.types import TagAnswer

DEFAULT_PORT: Final = 5084
CONNECT_TIMEOUT_S: Final = 3.0
SETUP_LIMIT_S: Final = 10.0
"""From the connection to the first inventory."""
SETUP_POLL_S: Final = 0.2
GOODBYE_LIMIT_S: Final = 1.0
MESSAGE_BYTES_MAX: Final = 1_048_576
RECEIVE_BYTES: Final = 65_536
SILENT_KEEPALIVES: Final = 3
"""A reader that missed so many keepalives is lost. Higher rides over a bad link longer."""
SESSION_ANSWER_ALWAYS: Final = 0
"""In session 0 a tag answers again and again while it is in the field."""
EPC_96_DIGITS: Final = 24

_HEADER: Final = struct.Struct("!HII")
_VERSIONS: Final = frozenset({1, 2})
_LIBRARY_ERRORS: Final = (
    LLRPError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    struct.error,
)
"""What a broken message provokes inside the library has many names."""
_CONTENTS: Final = {
    "EnableROSpecID": False,
    "EnableSpecIndex": False,
    "EnableInventoryParameterSpecID": False,
    "EnableAntennaID": True,
    "EnableChannelIndex": False,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": False,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
    "EnableAccessSpecID": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LlrpAccess:
    """Which reader, and what is asked of it.

    Attributes:
        host: Name or address.
        port: TCP port.
        antennas: Antennas that read, at least one, each from 1.
        keepalive: How often the reader says that it lives.
    """

    host: str
    port: int
    antennas: tuple[int, ...]
    keepalive: timedelta

    @property
    def address(self) -> str:
        """Host and port as they are shown."""
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class _Incoming:
    """Bytes that are no whole message yet."""

    data: bytearray = field(default_factory=bytearray)

    def messages(self, more: bytes) -> list[bytes]:
        """Whole messages, oldest first.

        Raises:
            ValueError: This is no LLRP.
        """
        self.data += more
        whole = []
        while len(self.data) >= _HEADER.size:
            kind, length, _number = _HEADER.unpack_from(self.data)
            if (kind >> 10) & 0x07 not in _VERSIONS or kind >> 13:
                raise ValueError("it does not speak LLRP")
            if not _HEADER.size <= length <= MESSAGE_BYTES_MAX:
                raise ValueError(f"a message of {length} bytes")
            if len(self.data) < length:
                break
            whole.append(bytes(self.data[:length]))
            del self.data[:length]
        return whole


class LlrpReader:
    """One connection to one reader; used by one thread."""

    def __init__(self, access: LlrpAccess, *, clock: Callable[[], datetime], stop: Event) -> None:
        """Connect and start reading.

        Args:
            access: The reader.
            clock: Gives aware UTC time.
            stop: Breaks a connection off that is still being made.

        Raises:
            ReaderLostError: Nobody answers, the connection broke, or ``stop`` was set.
            ReaderRefusedError: It is in use, has no such antenna, or is no LLRP reader.
        """
        self._access = access
        self._clock = clock
        self._reader_clock = ReaderClock()
        self._incoming = _Incoming()
        self._answers: list[TagAnswer] = []
        self._silent_after_s = SILENT_KEEPALIVES * access.keepalive.total_seconds()
        try:
            self._socket = socket.create_connection(
                (access.host, access.port), timeout=CONNECT_TIMEOUT_S
            )
        except OSError as error:
            raise ReaderLostError(address=access.address, reason=_reason(error)) from error
        self._protocol = LLRPClient(
            LLRPReaderConfig(
                {
                    "antennas": list(access.antennas),
                    "report_every_n_tags": 1,
                    "session": SESSION_ANSWER_ALWAYS,
                    "tag_content_selector": dict(_CONTENTS),
                    "keepalive_interval": int(access.keepalive.total_seconds() * 1000),
                }
            ),
            transport_tx_write=self._send,
        )
        self._heard_s = time.monotonic()
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start_reading(stop)
        except BaseException:
            self._socket.close()
            raise

    def poll(self, *, timeout_s: float) -> Sequence[TagAnswer]:
        """Answers that came, oldest first; none when the time is over.

        Raises:
            ReaderLostError: The connection broke, or the reader is silent.
            ReaderRefusedError: It sends what is no LLRP, or refuses.
        """
        self._receive(timeout_s)
        if time.monotonic() - self._heard_s > self._silent_after_s:
            raise ReaderLostError(
                address=self._access.address,
                reason=f"silent for {self._silent_after_s:.0f} s, although the connection stands",
            )
        answers, self._answers = self._answers, []
        return answers

    def close(self) -> None:
        """Tell the reader to stop if it listens, and let it go; never raises."""
        is_stopped = Event()
        with suppress(ReaderError, LLRPError, OSError):
            self._protocol.stopPolitely(onCompletion=lambda *_: is_stopped.set(), disconnect=True)
            deadline_s = time.monotonic() + GOODBYE_LIMIT_S
            while not is_stopped.is_set() and time.monotonic() < deadline_s:
                self._receive(deadline_s - time.monotonic())
        self._socket.close()

    def _start_reading(self, stop: Event) -> None:
        """Wait until the reader takes inventory."""
        deadline_s = time.monotonic() + SETUP_LIMIT_S
        while self._protocol.state != LLRPReaderState.STATE_INVENTORYING:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise ReaderRefusedError(
                    address=self._access.address,
                    reason=f"it did not start reading within {SETUP_LIMIT_S:.0f} s",
                )
            if stop.is_set():
                raise ReaderLostError(address=self._access.address, reason="told to stop")
            self._receive(min(left_s, SETUP_POLL_S))

    def _receive(self, timeout_s: float) -> None:
        """Take what comes within a time, and answer it."""
        self._socket.settimeout(max(0.001, timeout_s))
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            return
        except OSError as error:
            raise ReaderLostError(address=self._access.address, reason=_reason(error)) from error
        if not data:
            raise ReaderLostError(address=self._access.address, reason="it closed the connection")
        arrived_at = self._clock()
        try:
            for message in self._incoming.messages(data):
                self._take(message, arrived_at)
        except _LIBRARY_ERRORS as error:
            raise ReaderRefusedError(
                address=self._access.address, reason=str(error) or type(error).__name__
            ) from error

    def _take(self, data: bytes, arrived_at: datetime) -> None:
        message = LLRPMessage(msgbytes=data)
        self._heard_s = time.monotonic()
        name = message.getName()
        if name == "READER_EVENT_NOTIFICATION":
            self._judge_event(message)
        elif name == "RO_ACCESS_REPORT":
            if self._protocol.state == LLRPReaderState.STATE_INVENTORYING:
                self._take_report(message.msgdict[name]["TagReportData"], arrived_at)
            return
        elif name == "ERROR_MESSAGE":
            raise ReaderRefusedError(
                address=self._access.address, reason="it reports an error in what it was sent"
            )
        self._protocol.handleMessage(message)

    def _judge_event(self, message: LLRPMessage) -> None:
        """The first event of a connection says whether we may use the reader."""
        event = message.msgdict[message.getName()].get("ReaderEventNotificationData", {})
        attempt = event.get("ConnectionAttemptEvent")
        if attempt is not None and attempt["Status"] != "Success":
            raise ReaderRefusedError(
                address=self._access.address, reason=f"connection refused: {attempt['Status']}"
            )
        if "ConnectionCloseEvent" in event:
            raise ReaderLostError(address=self._access.address, reason="it ends the connection")

    def _take_report(self, tags: Sequence[dict[str, Any]], arrived_at: datetime) -> None:
        """Tag data of a report; ``Any`` because the library's dictionaries have many types."""
        for tag in tags:
            rssi_dbm = tag.get("PeakRSSI")
            self._answers.append(
                TagAnswer(
                    epc=_code(tag),
                    antenna=int(tag.get("AntennaID", self._access.antennas[0])),
                    rssi_dbm=None if rssi_dbm is None else float(rssi_dbm),
                    reads=max(1, int(tag.get("TagSeenCount", 1))),
                    seen_at=self._reader_clock.device_time(
                        tag.get("LastSeenTimestampUTC"), arrived_at=arrived_at
                    ),
                )
            )

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(CONNECT_TIMEOUT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise ReaderLostError(address=self._access.address, reason=_reason(error)) from error


def _code(tag: dict[str, Any]) -> str:
    """The tag's code in upper-case hex; empty when it is cut off."""
    content: bytes = tag.get("EPC", b"")
    if "EPC-96" in tag and len(content) != EPC_96_DIGITS:
        return ""
    return content.decode("ascii").upper()


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
