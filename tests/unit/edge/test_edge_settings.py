# SPDX-License-Identifier: AGPL-3.0-or-later
"""A site file is read whole, and everything that is wrong in it is named."""

from datetime import timedelta
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.settings import CameraMode, load_settings, read_secret

SITE = """
[device]
id = "gate-01"
site_id = "site-01"
province = "dak-lak"
secret_file = "secret"

[broker]
host = "broker.example"

[api]
url = "https://api.example"

[outbox]
path = "state/outbox.sqlite3"

[[cameras]]
id = "cam-01"
mode = "gate"
source = "rtsp://user:hush@10.0.0.5/1"
lane = 2

[[cameras]]
id = "cam-02"
mode = "road"
source = "clip.mp4"
every = 2
region = { y_min = 0.3 }

[[readers]]
id = "reader-1"
host = "10.0.0.9"
antennas = [{ number = 1, lane = 7 }, { number = 2 }]
gap = 1.5
"""


def site_file(folder: Path, text: str = SITE) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_file_becomes_settings_with_absolute_paths(tmp_path: Path) -> None:
    settings = load_settings(site_file(tmp_path))

    assert settings.device.secret_file == tmp_path / "secret"
    assert settings.outbox.path == tmp_path / "state" / "outbox.sqlite3"
    assert settings.broker.port == 8883
    assert settings.broker.use_tls
    assert settings.broker.ack_timeout == timedelta(seconds=10)
    assert [camera.mode for camera in settings.cameras] == [CameraMode.GATE, CameraMode.ROAD]
    assert settings.cameras[0].source == "rtsp://user:hush@10.0.0.5/1"
    assert settings.cameras[1].source == str(tmp_path / "clip.mp4")
    (reader,) = settings.readers
    assert (reader.host, reader.port, reader.gap) == ("10.0.0.9", 5084, timedelta(seconds=1.5))
    assert [(each.number, each.lane) for each in reader.antennas] == [(1, 7), (2, None)]


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUUTHONG_EDGE_BROKER__HOST", "127.0.0.1")
    monkeypatch.setenv("LUUTHONG_EDGE_BROKER__PORT", "1883")

    settings = load_settings(site_file(tmp_path))

    assert (settings.broker.host, settings.broker.port) == ("127.0.0.1", 1883)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('id = "gate-01"', 'id = "Gate 01"'), "device.id"),
        (('host = "broker.example"', ""), "broker.host: Field required"),
        (('mode = "gate"', 'mode = "bridge"'), "cameras.0.mode"),
        (("every = 2", "every = 0"), "cameras.1.every"),
        (("y_min = 0.3", "y_min = 1.0"), "a region needs"),
        (('id = "cam-02"', 'id = "cam-01"'), "two cameras have the same id"),
        (("lane = 2", "lane = 2\nspeed_limit = 50"), "cameras.0.speed_limit: Extra inputs"),
        (('url = "https://api.example"', 'url = "api.example"'), "api.url"),
        (('url = "https://api.example"', 'url = "http://api.example"'), "api.url"),
        (('host = "broker.example"', 'host = "broker.example"\nuse_tls = false'), "needs use_tls"),
        (('host = "broker.example"', 'host = "broker.example"\nothers = ["b2"]'), "host:port"),
        (
            ('host = "broker.example"', 'host = "::1"\nuse_tls = false\nothers = ["b2:1"]'),
            "use_tls",
        ),
        (("{ number = 2 }", "{ number = 1 }"), "two antennas have the same number"),
        (("{ number = 1, lane = 7 }, { number = 2 }", ""), "readers.0.antennas"),
        (("gap = 1.5", "gap = 0"), "readers.0.gap"),
        (("gap = 1.5", "rssi_min_dbm = nan"), "readers.0.rssi_min_dbm"),
        (("[device]", "[device"), "it is no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    path = site_file(tmp_path, SITE.replace(*change))

    with pytest.raises(SettingsError) as caught:
        load_settings(path)

    assert problem in str(caught.value)


def test_two_readers_of_one_name_are_refused(tmp_path: Path) -> None:
    reader = '[[readers]]\nid = "reader-1"\nhost = "10.0.0.10"\nantennas = [{ number = 1 }]\n'

    with pytest.raises(SettingsError, match="two readers have the same id"):
        load_settings(site_file(tmp_path, SITE + reader))


def test_several_problems_are_named_at_once_and_no_value_is_repeated(tmp_path: Path) -> None:
    text = SITE.replace('mode = "gate"', 'mode = "hush"').replace("every = 2", "every = 0")

    with pytest.raises(SettingsError) as caught:
        load_settings(site_file(tmp_path, text))

    assert len(caught.value.problems) == 2
    assert "hush" not in str(caught.value)


def test_a_missing_site_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "site.toml")


def test_the_secret_is_the_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")

    assert read_secret(tmp_path / "secret") == "hush"


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "can't be read"), (b"\n", "is empty"), (b"\xff\xfe", "no text")]
)
def test_a_secret_that_can_not_be_used_is_said_plainly(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=problem):
        read_secret(path)
