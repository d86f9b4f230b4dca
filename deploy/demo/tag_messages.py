# SPDX-License-Identifier: AGPL-3.0-or-later
"""The messages of a tag reader in bytes: EPCglobal LLRP 1.0.1, chapter 16 (binary encoding)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

VERSION: Final = 1
EPC_96_BYTES: Final = 12
TX_POWER_CENTIDBM: Final = (1000, 2000, 3000)
FREQUENCIES_KHZ: Final = (920_625, 921_375, 922_125)
"""Channels of the 920 to 923 MHz band that is free for tags in Vietnam."""
COUNTRY_CODE: Final = 704

_TLV: Final = struct.Struct("!HH")


class MessageKind(IntEnum):
    """Message types, 16.1."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    DELETE_ACCESSSPEC = 41
    DELETE_ACCESSSPEC_RESPONSE = 51
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100


class _Parameter(IntEnum):
    """Parameter types, 16.2."""

    UTC_TIMESTAMP = 128
    GENERAL_DEVICE_CAPABILITIES = 137
    RECEIVE_SENSITIVITY_TABLE_ENTRY = 139
    PER_ANTENNA_AIR_PROTOCOL = 140
    GPIO_CAPABILITIES = 141
    LLRP_CAPABILITIES = 142
    REGULATORY_CAPABILITIES = 143
    UHF_BAND_CAPABILITIES = 144
    TRANSMIT_POWER_LEVEL_TABLE_ENTRY = 145
    FREQUENCY_INFORMATION = 146
    FIXED_FREQUENCY_TABLE = 148
    ROSPEC = 177
    AISPEC = 183
    KEEPALIVE_SPEC = 220
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    READER_EVENT_NOTIFICATION_DATA = 246
    CONNECTION_ATTEMPT_EVENT = 256
    LLRP_STATUS = 287
    C1G2_LLRP_CAPABILITIES = 327
    UHF_C1G2_RF_MODE_TABLE = 328
    UHF_C1G2_RF_MODE_TABLE_ENTRY = 329


class _Field(IntEnum):
    """Parameters without a length (TV), 16.2: their type is a single byte."""

    ANTENNA_ID = 1
    LAST_SEEN_UTC = 4
    PEAK_RSSI = 6
    TAG_SEEN_COUNT = 8
    EPC_96 = 13


class StatusCode(IntEnum):
    """What a response says, 14.2.1."""

    SUCCESS = 0
    FIELD_INVALID = 102
    UNSUPPORTED_MESSAGE = 109


class ConnectionAttempt(IntEnum):
    """What a connection meets, 13.1.6.9."""

    SUCCESS = 0
    IN_USE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The head of every message."""

    SIZE: ClassVar[int] = 10
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct("!HII")

    kind: int
    length: int
    number: int

    @classmethod
    def read(cls, data: bytes | bytearray) -> Self:
        """The head of the message that begins here."""
        first, length, number = cls._LAYOUT.unpack_from(data)
        return cls(kind=first & 0x03FF, length=length, number=number)

    def to_bytes(self) -> bytes:
        """As it goes out."""
        return self._LAYOUT.pack(VERSION << 10 | self.kind, self.length, self.number)


def message(kind: MessageKind, number: int, content: bytes) -> bytes:
    """A whole message."""
    return Header(kind=kind, length=Header.SIZE + len(content), number=number).to_bytes() + content


def status(code: StatusCode = StatusCode.SUCCESS, text: str = "") -> bytes:
    """How a request went."""
    words = text.encode()
    return _tlv(_Parameter.LLRP_STATUS, struct.pack("!HH", code, len(words)) + words)


def connection_event(attempt: ConnectionAttempt, *, at_us: int) -> bytes:
    """The first message of every connection."""
    event = _tlv(_Parameter.UTC_TIMESTAMP, struct.pack("!Q", at_us)) + _tlv(
        _Parameter.CONNECTION_ATTEMPT_EVENT, struct.pack("!H", attempt)
    )
    return message(
        MessageKind.READER_EVENT_NOTIFICATION,
        0,
        _tlv(_Parameter.READER_EVENT_NOTIFICATION_DATA, event),
    )


def tag_report(number: int, *, epc: bytes, antenna: int, rssi_dbm: int, at_us: int) -> bytes:
    """One answer of one tag."""
    code = (
        bytes([0x80 | _Field.EPC_96]) + epc
        if len(epc) == EPC_96_BYTES
        else _tlv(_Parameter.EPC_DATA, struct.pack("!H", len(epc) * 8) + epc)
    )
    data = (
        code
        + struct.pack("!BH", 0x80 | _Field.ANTENNA_ID, antenna)
        + struct.pack("!Bb", 0x80 | _Field.PEAK_RSSI, rssi_dbm)
        + struct.pack("!BQ", 0x80 | _Field.LAST_SEEN_UTC, at_us)
        + struct.pack("!BH", 0x80 | _Field.TAG_SEEN_COUNT, 1)
    )
    return message(MessageKind.RO_ACCESS_REPORT, number, _tlv(_Parameter.TAG_REPORT_DATA, data))


def capabilities(*, antennas: int) -> bytes:
    """Everything that the reader can, for the answer to a question for all of it."""
    firmware = b"1.0"
    general = (
        struct.pack("!HHIIH", antennas, 0x4000, 0, 0, len(firmware))
        + firmware
        + _tlv(_Parameter.RECEIVE_SENSITIVITY_TABLE_ENTRY, struct.pack("!HH", 1, 0))
        + _tlv(_Parameter.GPIO_CAPABILITIES, struct.pack("!HH", 0, 0))
        + b"".join(
            _tlv(_Parameter.PER_ANTENNA_AIR_PROTOCOL, struct.pack("!HHB", antenna, 1, 1))
            for antenna in range(1, antennas + 1)
        )
    )
    llrp = struct.pack("!BBHIIIII", 0, 0, 0, 1, 1, 1, 0, 0)
    return (
        _tlv(_Parameter.GENERAL_DEVICE_CAPABILITIES, general)
        + _tlv(_Parameter.LLRP_CAPABILITIES, llrp)
        + _tlv(_Parameter.REGULATORY_CAPABILITIES, _regulatory())
        + _tlv(_Parameter.C1G2_LLRP_CAPABILITIES, struct.pack("!BH", 0, 0))
    )


def keepalive_of_config(body: bytes) -> float:
    """Seconds between keepalives that a SET_READER_CONFIG asks for; 0 for none."""
    for kind, content in _parameters(body[1:]):
        if kind == _Parameter.KEEPALIVE_SPEC:
            is_periodic, interval_ms = struct.unpack("!BI", content)
            return interval_ms / 1000 if is_periodic else 0.0
    return 0.0


def antennas_of_rospec(body: bytes) -> tuple[int, ...]:
    """Antennas that an ADD_ROSPEC asks for; 0 among them means all.

    Raises:
        ValueError: There is no inventory in it.
    """
    for kind, content in _parameters(body):
        if kind != _Parameter.ROSPEC:
            continue
        for inner, order in _parameters(content[6:]):
            if inner == _Parameter.AISPEC:
                (count,) = struct.unpack_from("!H", order)
                return struct.unpack_from(f"!{count}H", order, 2)
    raise ValueError("an order without an inventory")


def _regulatory() -> bytes:
    powers = b"".join(
        _tlv(_Parameter.TRANSMIT_POWER_LEVEL_TABLE_ENTRY, struct.pack("!Hh", index, power))
        for index, power in enumerate(TX_POWER_CENTIDBM, start=1)
    )
    frequencies = _tlv(
        _Parameter.FREQUENCY_INFORMATION,
        b"\x00"
        + _tlv(
            _Parameter.FIXED_FREQUENCY_TABLE,
            struct.pack(f"!H{len(FREQUENCIES_KHZ)}I", len(FREQUENCIES_KHZ), *FREQUENCIES_KHZ),
        ),
    )
    mode = struct.pack("!IBBBBIIIII", 1, 0x80, 1, 0, 0, 40_000, 1500, 25_000, 25_000, 0)
    modes = _tlv(
        _Parameter.UHF_C1G2_RF_MODE_TABLE, _tlv(_Parameter.UHF_C1G2_RF_MODE_TABLE_ENTRY, mode)
    )
    band = _tlv(_Parameter.UHF_BAND_CAPABILITIES, powers + frequencies + modes)
    return struct.pack("!HH", COUNTRY_CODE, 0) + band


def _tlv(kind: _Parameter, content: bytes) -> bytes:
    return _TLV.pack(kind, _TLV.size + len(content)) + content


def _parameters(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Parameters with a length, as type and content.

    Raises:
        ValueError: A length is wrong.
    """
    place = 0
    while place + _TLV.size <= len(data):
        kind, length = _TLV.unpack_from(data, place)
        if length < _TLV.size or place + length > len(data):
            raise ValueError("a parameter with a wrong length")
        yield kind & 0x03FF, data[place + _TLV.size : place + length]
        place += length
