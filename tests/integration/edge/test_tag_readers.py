# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tag readers over TCP: what they report, and what happens when they die, go silent or go mad."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import pytest
from uuid_utils.compat import uuid4, uuid7

from central.contracts.heartbeat import ReaderState
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream
from deploy.demo.tag_messages import Header, MessageKind, message
from deploy.demo.tag_reader import Fault, TagPass, TagReaderEmulator
from edge.app.device import Device, ModelChoice
from edge.app.readers import Readers
from edge.app.uplink import Surroundings
from edge.errors import ReaderLostError, ReaderRefusedError
from edge.outbox.store import look_into
from edge.settings import AntennaSettings, ReaderSettings, load_settings
from edge.tags.llrp import LlrpAccess, LlrpReader
from models.runtime.values import Backend
from tests.integration.edge.centre import wait_until

if TYPE_CHECKING:
    from edge.stages import TagRead

TRUCK: Final = "E2801160600002054E1A2B3C"
CAR: Final = "E2801160600002054E1A2B3D"
LONG_CODE: Final = "E2801160600002054E1A2B3C00112233"
QUICK: Final = timedelta(milliseconds=300)


def utc_now() -> datetime:
    return datetime.now(UTC)


def settings_of(reader: TagReaderEmulator, **changes: object) -> ReaderSettings:
    values: dict[str, object] = {
        "id": "reader-1",
        "host": "127.0.0.1",
        "port": reader.port,
        "antennas": (AntennaSettings(number=1, lane=1), AntennaSettings(number=2, lane=2)),
        "gap": QUICK,
        "told_after": timedelta(seconds=60),
        "keepalive": timedelta(milliseconds=100),
    }
    return ReaderSettings.model_validate({**values, **changes})


class Heard:
    """Readers that run, and what they have told."""

    def __init__(self, *readers: ReaderSettings) -> None:
        self.tag_reads: list[TagRead] = []
        self.readers = Readers(
            readers,
            sink=self.tag_reads.append,
            clock=utc_now,
            rng=random.Random(5),  # noqa: S311 - jitter
        )
        self.readers.start()

    @property
    def state(self) -> ReaderState:
        return self.readers.readings()[0].state

    @property
    def losses(self) -> int:
        return self.readers.readings()[0].losses

    def epcs(self) -> list[str]:
        return [each.epc for each in self.tag_reads]


Listen = Callable[..., Heard]


@pytest.fixture
def reader() -> Iterator[TagReaderEmulator]:
    with TagReaderEmulator() as running:
        yield running


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Start readers; they stop in time, and none dies of a bug."""
    started: list[Heard] = []

    def start(*readers: ReaderSettings) -> Heard:
        started.append(Heard(*readers))
        return started[-1]

    yield start
    for heard in started:
        assert heard.readers.stop(limit_s=5) == ()
        assert heard.readers.crash is None


def access(reader: TagReaderEmulator, *, antennas: tuple[int, ...] = (1,)) -> LlrpAccess:
    return LlrpAccess(
        host="127.0.0.1",
        port=reader.port,
        antennas=antennas,
        keepalive=timedelta(milliseconds=100),
    )


def test_a_passing_tag_is_told_once_with_its_strongest_answer(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)
    before = utc_now()

    reader.pass_tag(TRUCK, seconds=0.6)
    wait_until(lambda: heard.tag_reads != [])

    (told,) = heard.tag_reads
    assert (told.reader_id, told.lane, told.epc, told.antenna) == ("reader-1", 1, TRUCK, 1)
    assert told.reads == reader.reports
    assert told.reads > 5
    assert told.rssi_dbm == pytest.approx(-45, abs=5)
    assert before <= told.first_seen_at < told.captured_at < told.last_seen_at <= utc_now()


def test_a_tag_that_stays_in_the_lane_is_told_while_it_is_there(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader, told_after=QUICK))
    wait_until(lambda: reader.is_reading)

    reader.pass_tag(TRUCK, seconds=2.0)
    wait_until(lambda: heard.tag_reads != [])
    was_there = heard.readers.readings()[0].answers
    wait_until(lambda: heard.readers.readings()[0].answers > was_there + 5)
    reader.pass_tag(CAR, seconds=0.1)
    wait_until(lambda: CAR in heard.epcs())

    assert heard.epcs() == [TRUCK, CAR]


def test_two_tags_at_once_and_a_long_code_are_told_each_once(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)

    for antenna, code in ((1, TRUCK), (1, CAR), (2, LONG_CODE)):
        reader.pass_tag(code, antenna=antenna, seconds=0.3)
    wait_until(lambda: len(heard.tag_reads) == 3)

    assert sorted((each.epc, each.lane) for each in heard.tag_reads) == sorted(
        [(TRUCK, 1), (CAR, 1), (LONG_CODE, 2)]
    )


def test_a_reader_with_a_wrong_clock_is_told_by_the_clock_of_the_device(listen: Listen) -> None:
    years_s = 5 * 365 * 86_400
    with TagReaderEmulator(clock=lambda: time.time() - years_s) as reader:
        heard = listen(settings_of(reader))
        wait_until(lambda: reader.is_reading)

        reader.pass_tag(TRUCK, seconds=0.3)
        wait_until(lambda: heard.tag_reads != [])

    assert abs(utc_now() - heard.tag_reads[0].captured_at) < timedelta(seconds=15)


def test_a_schedule_begins_with_the_first_inventory(listen: Listen) -> None:
    passes = [TagPass(at_s=0.2, antenna=1, epc=TRUCK, seconds=0.2)]
    with TagReaderEmulator(passes) as reader:
        is_over_unasked = reader.is_over
        heard = listen(settings_of(reader))

        wait_until(lambda: heard.epcs() == [TRUCK])

        assert not is_over_unasked
        assert reader.is_over


def test_a_reader_that_goes_away_and_comes_back_is_read_again(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)
    reader.pass_tag(TRUCK, seconds=5.0)
    wait_until(lambda: reader.reports > 3)

    reader.stop()
    wait_until(lambda: heard.state is ReaderState.LOST)
    told_at_the_loss = heard.epcs()
    (problem,) = heard.readers.problems
    reader.start()
    wait_until(lambda: reader.is_reading)
    reader.pass_tag(CAR, seconds=0.2)
    wait_until(lambda: CAR in heard.epcs())

    assert told_at_the_loss == [TRUCK]
    assert str(reader.port) in problem
    assert TRUCK not in problem
    assert heard.readers.problems == ()


def test_a_reader_that_falls_silent_is_given_up_and_asked_anew(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)

    reader.fault = Fault.SILENT
    wait_until(lambda: heard.state is ReaderState.LOST)
    reader.fault = Fault.NONE
    wait_until(lambda: heard.state is ReaderState.RUNNING)
    reader.pass_tag(TRUCK, seconds=0.2)

    wait_until(lambda: heard.epcs() == [TRUCK])
    assert reader.connections >= 2


def test_a_quiet_road_is_no_silence(reader: TagReaderEmulator, listen: Listen) -> None:
    heard = listen(settings_of(reader, keepalive=timedelta(milliseconds=100)))
    wait_until(lambda: reader.is_reading)
    quiet_since_s = time.monotonic()

    wait_until(lambda: time.monotonic() - quiet_since_s > 0.6)

    assert (heard.state, heard.losses) == (ReaderState.RUNNING, 0)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"HTTP/1.1 400 Bad Request\r\nServer: reader\r\n\r\n",
        bytes(64),
        b"\xff" * 64,
        # A report that would be four gigabytes long.
        b"\x04\x3d\xff\xff\xff\xff\x00\x00\x00\x01",
        # A report whose times end in the middle.
        message(MessageKind.RO_ACCESS_REPORT, 1, b"\x00\xf0\x00\x08\x84\x01\x02\x03"),
        # A kind of message that does not exist.
        Header(kind=999, length=10, number=1).to_bytes(),
    ],
)
def test_a_reader_that_sends_rubbish_is_left_and_asked_anew(
    reader: TagReaderEmulator, listen: Listen, rubbish: bytes
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)

    reader.send_raw(rubbish)
    wait_until(lambda: heard.losses == 1)
    wait_until(lambda: reader.is_reading)
    reader.pass_tag(TRUCK, seconds=0.2)

    wait_until(lambda: heard.epcs() == [TRUCK])


def test_a_code_that_is_cut_off_is_no_tag(reader: TagReaderEmulator, listen: Listen) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)
    cut_off = b"\x00\xf0\x00\x14\x8d" + bytes.fromhex(TRUCK)[:6]

    reader.send_raw(message(MessageKind.RO_ACCESS_REPORT, 1, cut_off))
    wait_until(lambda: heard.readers.readings()[0].answers == 1)
    reader.pass_tag(CAR, seconds=0.2)

    wait_until(lambda: heard.epcs() == [CAR])
    assert heard.losses == 0


def test_a_message_that_comes_in_pieces_is_read(reader: TagReaderEmulator, listen: Listen) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)
    keepalive = message(MessageKind.KEEPALIVE, 9, b"")

    # The other keepalives must not come in between.
    reader.fault = Fault.SILENT
    for each in keepalive + keepalive[:4]:
        reader.send_raw(bytes([each]))
    reader.send_raw(keepalive[4:])
    reader.fault = Fault.NONE
    reader.pass_tag(TRUCK, seconds=0.2)

    wait_until(lambda: heard.epcs() == [TRUCK])
    assert heard.losses == 0


def test_a_reader_in_use_says_so(reader: TagReaderEmulator) -> None:
    first = LlrpReader(access(reader), clock=utc_now, stop=Event())

    with pytest.raises(ReaderRefusedError, match="connection refused"):
        LlrpReader(access(reader), clock=utc_now, stop=Event())

    first.close()
    wait_until(lambda: not reader.has_client)
    LlrpReader(access(reader), clock=utc_now, stop=Event()).close()


def test_an_antenna_that_the_reader_does_not_have_is_refused(reader: TagReaderEmulator) -> None:
    with pytest.raises(ReaderRefusedError, match="Invalid antenna"):
        LlrpReader(access(reader, antennas=(1, 9)), clock=utc_now, stop=Event())


def test_nobody_there_is_said_in_one_sentence(reader: TagReaderEmulator) -> None:
    reader.stop()

    with pytest.raises(ReaderLostError, match=r"^tag reader 127\.0\.0\.1:\d+: Connection refused$"):
        LlrpReader(access(reader), clock=utc_now, stop=Event())


def test_a_reader_that_never_says_a_word_does_not_hold_up_the_stop(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    reader.fault = Fault.MUTE
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.connections == 1)
    began_s = time.monotonic()

    late = heard.readers.stop(limit_s=5)

    assert late == ()
    assert time.monotonic() - began_s < 3


def test_stopping_tells_the_tag_that_is_passing_and_leaves_the_reader_idle(
    reader: TagReaderEmulator, listen: Listen
) -> None:
    heard = listen(settings_of(reader))
    wait_until(lambda: reader.is_reading)
    reader.pass_tag(TRUCK, seconds=30.0)
    wait_until(lambda: reader.reports > 3)

    heard.readers.stop(limit_s=5)

    assert heard.epcs() == [TRUCK]
    assert not reader.is_reading


SITE = """
[device]
id = "gate-01"
site_id = "site-01"
province = "dak-lak"
secret_file = "secret"
[broker]
host = "127.0.0.1"
port = 9
use_tls = false
[[readers]]
id = "reader-1"
host = "127.0.0.1"
port = {port}
antennas = [{{ number = 1, lane = 3 }}]
gap = 0.3
"""


def test_a_device_with_only_a_reader_keeps_its_tag_reads_in_the_outbox(
    reader: TagReaderEmulator, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "site.toml").write_text(SITE.format(port=reader.port))
    settings = load_settings(tmp_path / "site.toml")
    device = Device(
        [],
        choice=ModelChoice(backend=Backend.AUTO, folder=None, workers=1),
        settings=settings,
        around=Surroundings(
            clock=utc_now,
            rng=random.Random(5),  # noqa: S311 - jitter
            new_id=uuid7,
        ),
        boot_id=uuid4(),
        readers=settings.readers,
    )
    assert device.uplink is not None
    outbox = device.uplink.outbox
    device.start()
    wait_until(lambda: reader.is_reading)

    reader.pass_tag(TRUCK, seconds=0.3)
    wait_until(lambda: outbox.state().last_seq == 1)
    (event,) = outbox.pending(after_seq=0, limit=10)
    reader.pass_tag(CAR, seconds=30.0)
    wait_until(lambda: device.readers.readings()[0].answers > event.seq + 20)
    device.stop()

    assert device.crash is None
    assert event.stream is Stream.TAG_READ
    told = TagReadV1.from_json(event.payload)
    assert (told.epc, told.lane, told.reader_id, told.seq) == (TRUCK, 3, "reader-1", 1)
    assert look_into(settings.outbox.path).last_seq == 2
