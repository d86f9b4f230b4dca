# SPDX-License-Identifier: AGPL-3.0-or-later
"""Connections that are slow on purpose are hung up on, by a real uvicorn; others are served."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from api.security.connections import GuardedProtocol
from tests.integration.api.world import World, serving

WAIT_S = 20.0
SLOW_ONES = 40


class Impatient(GuardedProtocol):
    """The product's protocol with limits that a test can wait for."""

    header_timeout_s = 0.5
    body_timeout_s = 0.5


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with serving(world, protocol=Impatient) as served:
        yield served


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=WAIT_S)


def is_hung_up_on(connection: socket.socket) -> bool:
    """Whether the server ends the connection without an answer; waits for it."""
    try:
        return connection.recv(1024) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /v1/health HTTP/1.1\r\nHost: x\r\n",
        b"PUT /v1/evidence/" + b"a" * 64 + b" HTTP/1.1\r\nHost: x\r\nContent-Le",
    ],
    ids=["nothing", "half a header", "half a name"],
)
def test_a_header_that_does_not_end_is_not_waited_for(address: str, said: bytes) -> None:
    with connect(address) as connection:
        connection.sendall(said)

        assert is_hung_up_on(connection)


def test_a_body_that_does_not_come_is_not_waited_for(address: str, world: World) -> None:
    with connect(address) as connection:
        connection.sendall(
            b"PUT /v1/evidence/" + b"a" * 64 + b" HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg"
            b"\r\nAuthorization: "
            + world.device_headers["Authorization"].encode()
            + b"\r\nContent-Length: 9000\r\n\r\n\xff\xd8"
        )

        assert is_hung_up_on(connection)
    assert httpx.get(f"{address}/v1/health").status_code == 200


def test_the_second_request_of_a_kept_connection_has_a_deadline_too(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHo")

        assert is_hung_up_on(connection)


def test_many_slow_connections_keep_nobody_out(address: str) -> None:
    with ExitStack() as stack, httpx.Client(base_url=address) as client:
        slow = [stack.enter_context(connect(address)) for _ in range(SLOW_ONES)]
        for connection in slow:
            connection.sendall(b"GET /v1/health HTTP/1.1\r\n")

        answers = {client.get("/v1/health").status_code for _ in range(5)}

        assert answers == {200}
        assert all(is_hung_up_on(connection) for connection in slow)
