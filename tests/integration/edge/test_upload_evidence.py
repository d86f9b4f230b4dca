# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures are uploaded by their hash, again until the api has them, and survive a restart."""

import hashlib
import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest

from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from edge.publish.evidence import EvidenceAccess, EvidenceUploader
from tests.integration.edge.centre import wait_until
from tests.unit.edge.makers import NOW, message, picture

LIMITS = OutboxLimits(picture_bytes_max=1_000_000)


class EvidenceApi:
    """The api's side of the contract: takes a JPEG under its hash; answers what a test wants."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.stored: dict[str, bytes] = {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = self.headers
                api.requests.append((self.path, headers["Authorization"], headers["Content-Type"]))
                status = api.answers.pop(0) if api.answers else 201
                if status == 201:
                    name = self.path.rpartition("/")[2]
                    assert hashlib.sha256(body).hexdigest() == name
                    api.stored[name] = body
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self.server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(timeout=5)


@pytest.fixture
def api() -> Iterator[EvidenceApi]:
    made = EvidenceApi()
    yield made
    made.close()


class Running:
    """An uploader in its thread."""

    def __init__(self, outbox: Outbox, url: str) -> None:
        self.uploader = EvidenceUploader(
            outbox,
            access=EvidenceAccess(url=url, device_id="gate-01", secret="hush"),
            clock=lambda: NOW,
            rng=random.Random(3),  # noqa: S311 - jitter
        )
        self._stop = Event()
        self._thread = Thread(target=self.uploader.run, args=(self._stop,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.uploader.wake()
        self._thread.join(timeout=15)
        assert not self._thread.is_alive()


def test_pictures_are_put_under_their_hash_and_forgotten(tmp_path: Path, api: EvidenceApi) -> None:
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"scene"), picture(b"plate")), now=NOW)

        with Running(outbox, api.url) as running:
            wait_until(lambda: outbox.state().pictures == 0)

        assert sorted(api.stored.values()) == [b"plate", b"scene"]
        assert api.requests[0] == (
            f"/v1/evidence/{picture(b'scene').sha256}",
            "Device gate-01:hush",
            "image/jpeg",
        )
        assert running.uploader.status().uploaded == 2
        assert outbox.state().events == 1


def test_a_picture_that_is_already_there_counts_as_uploaded(
    tmp_path: Path, api: EvidenceApi
) -> None:
    api.answers = [200]
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"scene"),), now=NOW)

        with Running(outbox, api.url):
            wait_until(lambda: outbox.state().pictures == 0)

        assert outbox.state().pictures_dropped == 0


def test_trouble_at_the_api_is_waited_out(tmp_path: Path, api: EvidenceApi) -> None:
    api.answers = [503, 500]
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"scene"),), now=NOW)

        with Running(outbox, api.url):
            wait_until(lambda: outbox.state().pictures == 0)

    assert len(api.requests) == 3


@pytest.mark.parametrize("status", [409, 413, 415])
def test_a_picture_that_the_api_never_takes_is_dropped_counted_and_the_next_one_goes(
    tmp_path: Path, api: EvidenceApi, status: int
) -> None:
    api.answers = [status]
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"bad"), picture(b"good")), now=NOW)

        with Running(outbox, api.url) as running:
            wait_until(lambda: outbox.state().pictures == 0)

        assert outbox.state().pictures_dropped == 1
        assert list(api.stored.values()) == [b"good"]
        assert running.uploader.status().never_taken == 1


@pytest.mark.parametrize("status", [401, 404])
def test_a_device_that_the_centre_does_not_know_keeps_its_pictures_and_says_so(
    tmp_path: Path, api: EvidenceApi, status: int
) -> None:
    api.answers = [status] * 100
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"scene"),), now=NOW)

        with Running(outbox, api.url) as running:
            wait_until(lambda: running.uploader.status().problem is not None)

        assert running.uploader.status().problem == f"the api answered {status}"
        assert outbox.state().pictures == 1
    assert len(api.requests) == 1


def test_pictures_survive_a_restart_while_the_api_is_away(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box", limits=LIMITS) as outbox:
        outbox.put(message, (picture(b"scene"),), now=NOW)
        with Running(outbox, "http://127.0.0.1:9") as running:
            wait_until(lambda: running.uploader.status().problem is not None)

    api = EvidenceApi()
    with Outbox(tmp_path / "box", limits=LIMITS) as again, Running(again, api.url):
        wait_until(lambda: again.state().pictures == 0)
    api.close()

    assert list(api.stored.values()) == [b"scene"]
