# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recordings and folders give every frame in order, or one plain sentence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.capture.opening import file_time, open_source
from edge.capture.types import FrameSource, SourceKind, SourceRules
from edge.errors import (
    CaptureError,
    SourceEmptyError,
    SourceMissingError,
    SourceUnreadableError,
    without_password,
)
from tests.unit.edge.makers import NOW, write_picture, write_video


def opened(
    source: Path | str, *, every: int = 1, pictures_per_s: float | None = None
) -> FrameSource:
    rules = SourceRules(
        camera_id="cam-01", every=every, started_at=NOW, pictures_per_s=pictures_per_s
    )
    return open_source(str(source), rules=rules, clock=lambda: datetime.now(UTC))


def test_a_recording_gives_every_frame_with_its_time(tmp_path: Path) -> None:
    source = opened(write_video(tmp_path / "clip.mp4", frames=25, rate=10))

    frames = list(source.frames())

    assert [frame.index for frame in frames] == list(range(25))
    assert frames[0].captured_at == NOW
    assert frames[20].captured_at == NOW + timedelta(seconds=2)
    assert frames[0].image.shape == (240, 320, 3)
    assert source.kind is SourceKind.RECORDING
    assert source.frame_count == 25


def test_every_nth_frame_keeps_its_number_and_time(tmp_path: Path) -> None:
    source = opened(write_video(tmp_path / "clip.mp4", frames=25, rate=10), every=10)

    frames = list(source.frames())

    assert [frame.index for frame in frames] == [0, 10, 20]
    assert frames[2].captured_at == NOW + timedelta(seconds=2)


def test_a_folder_gives_its_pictures_in_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write_picture(tmp_path / f"gate_{number}.png", shade=number)
    (tmp_path / "readme.txt").write_text("no picture")

    frames = list(opened(tmp_path).frames())

    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.index for frame in frames] == [0, 1, 2]


def test_pictures_of_a_known_rate_are_a_recording(tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / f"{number}.png")

    source = opened(tmp_path, pictures_per_s=4)

    assert source.kind is SourceKind.RECORDING
    assert [frame.captured_at for frame in source.frames()][2] == NOW + timedelta(seconds=0.5)


def test_an_empty_and_a_damaged_picture_are_counted_and_passed_over(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png")
    (tmp_path / "2.jpg").touch()
    (tmp_path / "3.jpg").write_bytes(b"no picture at all")
    write_picture(tmp_path / "4.png")
    source = opened(tmp_path)

    frames = list(source.frames())

    assert [frame.index for frame in frames] == [0, 3]
    assert source.unreadable == 2


def test_a_folder_of_nothing_but_damage_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()

    with pytest.raises(SourceEmptyError, match="holds no picture that can be read"):
        list(opened(tmp_path).frames())


def test_a_folder_without_pictures_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SourceEmptyError, match="holds no picture"):
        opened(tmp_path)


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError, match="there is no file or folder"):
        opened(tmp_path / "nowhere.mp4")
    with pytest.raises(SourceMissingError):
        file_time(str(tmp_path / "nowhere.mp4"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"this is a letter, no video\n" * 200, "no recording")],
)
def test_a_file_that_is_no_recording_is_said_plainly(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)

    with pytest.raises(SourceUnreadableError, match=reason):
        opened(path)


def test_a_recording_of_sound_only_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    samples = b"\x00\x00" * 8_000
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt "
    form = (16).to_bytes(4, "little") + bytes([1, 0, 1, 0]) + (8_000).to_bytes(4, "little")
    form += (16_000).to_bytes(4, "little") + bytes([2, 0, 16, 0])
    path.write_bytes(header + form + b"data" + len(samples).to_bytes(4, "little") + samples)

    with pytest.raises(SourceEmptyError, match="holds no video"):
        opened(path)


def test_an_unknown_codec_is_said_plainly(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi")
    # The header names the codec; nobody knows this one.
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZ9Z"))

    with pytest.raises(SourceUnreadableError, match="codec is unknown"):
        list(opened(path).frames())


def test_a_recording_that_breaks_off_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", frames=60)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    source = opened(path)
    given: list[int] = []

    with pytest.raises(CaptureError, match="breaks off after frame"):
        given.extend(frame.index for frame in source.frames())

    assert given == list(range(len(given)))
    assert 10 < len(given) < 50


def test_an_unknown_kind_of_address_is_said_plainly_and_hides_what_it_holds() -> None:
    with pytest.raises(SourceUnreadableError, match="unknown") as caught:
        opened("gopher://user:hush@camera/1")

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:hush@10.0.0.5:554/ch1?token=hush", "rtsp://10.0.0.5:554/ch1"),
        ("rtsp://admin:Hush@123@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:hu/sh@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:hu#sh?@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:hu[sh@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("http://camera/stream", "http://camera/stream"),
        ("/data/clip.mp4", "/data/clip.mp4"),
    ],
)
def test_addresses_are_shown_without_user_and_password(address: str, shown: str) -> None:
    assert without_password(address) == shown
