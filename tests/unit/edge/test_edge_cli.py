# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad input to the command is one plain sentence and exit code 2, never a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.errors import EXIT_BAD_INPUT, EXIT_OK
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from tests.unit.edge.makers import NOW, message, picture, write_picture, write_video

SITE = """
[device]
id = "gate-01"
site_id = "site-01"
province = "dak-lak"
secret_file = "secret"
[broker]
host = "127.0.0.1"
[[cameras]]
id = "cam-01"
mode = "gate"
source = "clip.mp4"
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def settled(folder: Path) -> Path:
    """A site file whose secret and recording are there."""
    (folder / "secret").write_text("hush")
    write_video(folder / "clip.mp4")
    path = folder / "site.toml"
    path.write_text(SITE)
    return path


def empty_picture_folder(folder: Path) -> Path:
    (folder / "letters.txt").write_text("no picture")
    return folder


def text_file(folder: Path) -> Path:
    path = folder / "letter.mp4"
    path.write_text("this is a letter " * 100)
    return path


def unknown_codec(folder: Path) -> Path:
    path = write_video(folder / "clip.avi")
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZ9Z"))
    return path


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "nowhere.mp4", "there is no file or folder"),
        (empty_picture_folder, "holds no picture"),
        (text_file, "can't be read: it is no recording"),
        (unknown_codec, "its video codec is unknown"),
    ],
)
def test_a_source_that_can_not_be_played_is_said_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], Path], sentence: str
) -> None:
    result = call("replay", str(make(tmp_path)), "--mode", "gate", "--offline")

    assert result.exit_code == EXIT_BAD_INPUT
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_an_unreadable_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    # A link that leads to itself can't be opened by anybody, root included.
    path = tmp_path / "clip.mp4"
    path.symlink_to(path)

    result = call("replay", str(path), "--mode", "gate", "--offline")

    assert result.exit_code == EXIT_BAD_INPUT
    assert "luuthong-edge: " in result.output


def test_a_replay_without_a_site_file_plays_and_says_that_nothing_was_sent(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4")

    result = call("replay", str(clip), "--mode", "gate")

    assert result.exit_code == EXIT_OK, result.output
    assert "0 passages in" in result.output
    assert "Nothing was sent to a centre." in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--offline",), "say --mode gate or --mode road"),
        (("--mode", "gate", "--offline", "--start", "noon"), "say file, now, or a time like"),
        (("--mode", "gate", "--offline", "--start", "2026-01-01T08:00:00"), "say file, now"),
        (("--mode", "gate", "--config", "nowhere.toml"), "No such file"),
        (("--mode", "gate", "--offline", "--events", "no/such/folder/e.jsonl"), "No such file"),
    ],
)
def test_a_replay_that_is_not_said_clearly_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = call("replay", str(write_video(tmp_path / "clip.mp4")), *arguments)

    assert result.exit_code == EXIT_BAD_INPUT
    assert sentence in result.output


def test_a_right_site_file_is_called_right_and_shows_no_password(tmp_path: Path) -> None:
    path = settled(tmp_path)
    camera = '[[cameras]]\nid = "cam-02"\nmode = "road"\nsource = "rtsp://u:hush@10.0.0.5/1"\n'
    path.write_text(path.read_text() + camera)

    result = call("check-config", "--config", str(path))

    assert result.exit_code == EXIT_OK
    assert "site.toml is right" in result.output
    assert "rtsp://10.0.0.5/1" in result.output
    assert "hush" not in result.output


def test_a_site_file_without_its_secret_is_refused(tmp_path: Path) -> None:
    path = settled(tmp_path)
    (tmp_path / "secret").unlink()

    result = call("check-config", "--config", str(path))

    assert result.exit_code == EXIT_BAD_INPUT
    assert "secret can't be read" in result.output


READER = """
[[readers]]
id = "reader-1"
host = "10.0.0.9"
antennas = [{ number = 1, lane = 2 }, { number = 4 }]
"""


def test_the_check_shows_the_readers_of_a_site_file(tmp_path: Path) -> None:
    path = settled(tmp_path)
    path.write_text(SITE + READER)

    result = call("check-config", "--config", str(path))

    assert result.exit_code == EXIT_OK
    assert "reader reader-1: 10.0.0.9:5084, antennas 1 (lane 2), 4" in result.output


@pytest.mark.parametrize(
    ("site", "options", "sentence"),
    [
        (SITE, (), "readers: none is set"),
        (SITE + READER, ("--offline",), "say --config, and not --offline"),
    ],
)
def test_readers_that_can_not_be_asked_are_said_plainly(
    tmp_path: Path, site: str, options: tuple[str, ...], sentence: str
) -> None:
    path = settled(tmp_path)
    path.write_text(site)

    result = call(
        "replay", str(tmp_path / "clip.mp4"), "--config", str(path), "--readers", *options
    )

    assert result.exit_code == EXIT_BAD_INPUT
    assert sentence in result.output


def test_a_device_without_cameras_and_readers_is_refused(tmp_path: Path) -> None:
    path = settled(tmp_path)
    path.write_text(SITE[: SITE.index("[[cameras]]")])

    result = call("run", "--config", str(path))

    assert result.exit_code == EXIT_BAD_INPUT
    assert "cameras, readers: none is set" in result.output


def test_an_unknown_camera_is_refused(tmp_path: Path) -> None:
    path = settled(tmp_path)

    result = call("replay", str(tmp_path / "clip.mp4"), "--config", str(path), "--camera", "cam-09")

    assert result.exit_code == EXIT_BAD_INPUT
    assert "no camera is called cam-09" in result.output


def test_the_outbox_tells_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "box"
    with Outbox(path, limits=OutboxLimits(picture_bytes_max=1_000)) as outbox:
        outbox.put(message, (picture(b"x" * 70),), now=NOW)
        outbox.put(message, (), now=NOW)

        result = call("outbox", "status", "--path", str(path))

    assert result.exit_code == EXIT_OK
    assert "1 (70 bytes)" in result.output
    assert "2026-03-14T08:00:00+00:00" in result.output


def test_an_outbox_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png")

    result = call("outbox", "status", "--path", str(tmp_path / "1.png"))

    assert result.exit_code == EXIT_BAD_INPUT
    assert "can't be used" in result.output
