# SPDX-License-Identifier: AGPL-3.0-or-later
"""A replay through the real broker ends when the centre has everything, or says what it lacks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from central.contracts.event import ClockSource
from deploy.demo.tag_reader import TagPass, TagReaderEmulator
from edge.cli import app
from edge.errors import EXIT_OK, EXIT_UNACKNOWLEDGED
from edge.outbox.store import look_into
from models.datasets.synth.road.plan import demo_plan
from models.datasets.synth.scene_video import write_clip
from tests.conftest import BrokerForTests
from tests.integration.edge.centre import Centre

pytestmark = [pytest.mark.vision, pytest.mark.timeout(240)]

DEVICE_ID: Final = "replay-01"
SITE: Final = """
[device]
id = "{device_id}"
site_id = "site-01"
province = "dak-lak"
secret_file = "secret"
[broker]
host = "{host}"
port = {port}
use_tls = false
[[cameras]]
id = "cam-01"
mode = "gate"
source = "clip.mp4"
lane = 3
"""

READER: Final = """
[[readers]]
id = "reader-1"
host = "127.0.0.1"
port = {port}
antennas = [{{ number = 1, lane = 3 }}]
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A rendered toll lane with two vehicles, and their plates."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    truth = write_clip(demo_plan(vehicle_count=2, seed=7), path)
    return path, {vehicle.plate_text for vehicle in truth}


@pytest.fixture
def centre(broker: BrokerForTests) -> Iterator[Centre]:
    made = Centre(host=broker.host, port=broker.port, password=broker.password("ingest"))
    yield made
    made.close()


@pytest.fixture
def site(broker: BrokerForTests, tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(broker.add_device(DEVICE_ID))
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(device_id=DEVICE_ID, host=broker.host, port=broker.port))
    return path


def replay(video: Path, site: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["replay", str(video), "--config", str(site), *options])


def test_a_replay_ends_when_the_centre_has_committed_every_passage(
    clip: tuple[Path, set[str]], site: Path, centre: Centre
) -> None:
    video, plates = clip

    result = replay(video, site, "--start", "2026-03-14T08:00:00+07:00")

    outbox = look_into(site.parent / "outbox.sqlite3")
    passages = centre.passages(outbox.outbox_id)
    assert result.exit_code == EXIT_OK, result.output
    assert "The centre has acknowledged everything." in result.output
    assert (outbox.events, outbox.acknowledged_seq) == (0, 2)
    assert {passage.plate.text for passage in passages if passage.plate} == plates
    assert {(passage.camera_id, passage.lane) for passage in passages} == {("cam-01", 3)}
    assert {passage.clock_source for passage in passages} == {ClockSource.FILE}
    assert all(passage.captured_at.hour == 1 for passage in passages)
    assert all(
        passage.last_seen_at - passage.first_seen_at < timedelta(seconds=30) for passage in passages
    )


def test_a_replay_asks_the_tag_reader_of_the_lane_meanwhile(
    clip: tuple[Path, set[str]], site: Path, centre: Centre
) -> None:
    truck, car = "E2801160600002054E1A2B3C", "E2801160600002054E1A2B3D"
    schedule = [
        TagPass(at_s=1.0, antenna=1, epc=truck),
        # It still stands there when the clip ends.
        TagPass(at_s=1_000.0, antenna=1, epc=car, seconds=1_999.0),
    ]

    with TagReaderEmulator(schedule) as reader:
        with site.open("a", encoding="utf-8") as file:
            file.write(READER.format(port=reader.port))
        result = replay(clip[0], site, "--start", "now", "--pace", "recorded", "--readers")

    assert result.exit_code == EXIT_OK, result.output
    assert "2 tag reads." in result.output
    outbox = look_into(site.parent / "outbox.sqlite3")
    passages = centre.passages(outbox.outbox_id)
    tag_reads = centre.tag_reads(outbox.outbox_id)
    seqs = [each.seq for each in passages] + [each.seq for each in tag_reads]
    assert sorted(seqs) == [1, 2, 3, 4]
    assert {(each.epc, each.lane, each.is_late) for each in tag_reads} == {
        (truck, 3, False),
        (car, 3, False),
    }
    first_s = min(each.first_seen_at for each in passages)
    assert all(abs(each.captured_at - first_s) < timedelta(seconds=60) for each in tag_reads)


def test_a_replay_that_is_not_acknowledged_says_so_and_keeps_its_events(
    clip: tuple[Path, set[str]], site: Path, centre: Centre
) -> None:
    centre.is_acknowledging = False

    result = replay(clip[0], site, "--every", "2", "--wait", "1")

    assert result.exit_code == EXIT_UNACKNOWLEDGED, result.output
    assert "The centre has not acknowledged 2 events" in result.output
    assert look_into(site.parent / "outbox.sqlite3").events == 2
