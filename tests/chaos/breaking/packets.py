# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cuts a stream of MQTT into packets, so that messages can come twice and in another order."""

import random
from typing import Final

PUBLISH: Final = 3
QOS_BITS: Final = 0b0110
LENGTH_BYTES_MAX: Final = 4
HELD_MAX: Final = 8
"""So many messages are held at a time to be shuffled."""


class PacketSplitter:
    """Takes bytes as they come and gives whole packets."""

    def __init__(self) -> None:
        self._rest = b""

    def split(self, chunk: bytes) -> list[bytes]:
        """The packets that are complete with this chunk."""
        self._rest += chunk
        packets = []
        while (length := packet_length(self._rest)) is not None and length <= len(self._rest):
            packets.append(self._rest[:length])
            self._rest = self._rest[length:]
        return packets


class Disturber:
    """Repeats and reorders the messages of a device; everything else passes as it came."""

    def __init__(self, rng: random.Random, *, share: float) -> None:
        self._rng = rng
        self._share = share

    def disturb(self, packets: list[bytes]) -> list[bytes]:
        """The same packets, some messages twice and neighbours in another order."""
        done: list[bytes] = []
        held: list[bytes] = []
        for packet in packets:
            if not is_message(packet):
                done += [*self._shuffled(held), packet]
                held = []
                continue
            held += [packet] * (2 if self._rng.random() < self._share else 1)
            if len(held) >= HELD_MAX:
                done += self._shuffled(held)
                held = []
        return done + self._shuffled(held)

    def _shuffled(self, packets: list[bytes]) -> list[bytes]:
        return self._rng.sample(packets, len(packets))


def is_message(packet: bytes) -> bool:
    """Whether a packet is a message that is acknowledged."""
    return packet[0] >> 4 == PUBLISH and bool(packet[0] & QOS_BITS)


def packet_length(data: bytes) -> int | None:
    """Length of the packet that data begin with; ``None`` while that is unknown."""
    length = 0
    for position, byte in enumerate(data[1 : 1 + LENGTH_BYTES_MAX]):
        length |= (byte & 0x7F) << (7 * position)
        if not byte & 0x80:
            return 2 + position + length
    return None
