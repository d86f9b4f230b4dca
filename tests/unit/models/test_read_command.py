# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``luuthong-models read`` itself, on pictures made here."""

import csv
import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import cli
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.datasets.synth.scene import training_scene
from models.reading.answers import CROP_COLUMNS, SCENE_COLUMNS
from models.reading.picture_files import read_picture
from models.runtime.values import BgrImage

LIMIT_S = 60.0
PLATE_PX_MIN = 90.0


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["read", *map(str, arguments)])
    return int(ended.value.code or 0)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def save(path: Path, image: BgrImage) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def plate_picture(seed: int) -> tuple[str, BgrImage]:
    rng = np.random.default_rng(seed)
    spec = random_plate_spec(rng, format_id="car_private_5")
    return spec.text, render_plate(spec, height_px=96, rng=rng)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    folder = tmp_path_factory.mktemp("crops")
    texts = {}
    for seed in range(6):
        text, image = plate_picture(seed)
        texts[save(folder / f"{seed}.png", image)] = text
    return texts


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered road on which plates can be seen."""
    for seed in range(20):
        picture = training_scene(np.random.default_rng(seed))
        if any(box.width > PLATE_PX_MIN for box in picture.plate_boxes_px):
            return save(tmp_path_factory.mktemp("road") / "road.png", picture.image)
    raise AssertionError("no rendered road shows a plate")


def test_crops_give_one_line_each_with_the_text_and_its_probability(
    crops: dict[Path, str], tmp_path: Path
) -> None:
    table = tmp_path / "out.csv"

    code = run(*crops, "--crops", "--csv", table)

    rows = rows_of(table.read_text(encoding="utf-8"))
    assert code == 0
    assert tuple(rows[0]) == CROP_COLUMNS
    assert [row["file"] for row in rows] == [str(path) for path in crops]
    assert sum(row["text"] == text for row, text in zip(rows, crops.values(), strict=True)) >= 5
    assert all(re.fullmatch(r"[01]\.\d{4}", row["conf"]) for row in rows)
    assert {row["answered"] for row in rows} <= {"0", "1"}


def test_a_road_gives_its_plates_with_boxes_inside_the_picture(road: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"

    code = run(road.parent, "--csv", table)

    rows = rows_of(table.read_text(encoding="utf-8"))
    picture = read_picture(road)
    assert code == 0
    assert rows
    assert tuple(rows[0]) == SCENE_COLUMNS
    for row in rows:
        assert row["file"] == str(road)
        assert 0 <= int(row["x1"]) < int(row["x2"]) <= picture.width_px
        assert 0 <= int(row["y1"]) < int(row["y2"]) <= picture.height_px


def test_without_a_file_the_table_goes_to_the_standard_output(
    crops: dict[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(next(iter(crops)), "--crops")

    assert code == 0
    assert len(rows_of(capsys.readouterr().out)) == 1


def test_pictures_without_a_plate_give_no_line_and_are_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for side in (1, 300):
        save(tmp_path / f"grey{side}.png", np.full((side, side, 3), 120, np.uint8))

    code = run(tmp_path)

    told = capfd.readouterr()
    assert code == 0
    assert rows_of(told.out) == []
    assert "without a plate: 2" in told.err
    assert "pictures/s" in told.err


def test_bad_files_are_told_in_a_line_each_and_passed_over(
    crops: dict[Path, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.png"
    shutil.copy(next(iter(crops)), good)
    jpeg = cv2.imencode(".jpg", plate_picture(3)[1])[1].tobytes()
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "note.png").write_text("no picture", encoding="utf-8")
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:-20])
    (tmp_path / "name\nof two lines.jpg").write_bytes(b"x")

    code = run(tmp_path, tmp_path / "absent.jpg", "--crops")

    told = capfd.readouterr()
    bad_lines = [line for line in told.err.splitlines() if line.startswith(str(tmp_path))]
    assert code == 0
    assert [row["file"] for row in rows_of(told.out)] == [str(good)]
    assert len(bad_lines) == 6
    assert all(": " in line for line in bad_lines)
    assert "could not be read: 6" in told.err
    # Our lines and the summary are all: the decoders' own messages are kept away.
    assert len(told.err.splitlines()) == 6 + 2


def test_a_name_that_is_no_utf8_keeps_its_bytes(crops: dict[Path, str], tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff, 1.png"))
    shutil.copy(next(iter(crops)), odd)
    table = tmp_path / "out.csv"

    code = run(odd, "--crops", "--csv", table)

    content = table.read_bytes().decode("utf-8", "surrogateescape")
    assert code == 0
    assert rows_of(content)[0]["file"] == str(odd)


def test_when_nothing_can_be_read_the_exit_code_is_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")

    assert run(tmp_path) == 1
    assert "empty.jpg: empty file" in capfd.readouterr().err


@pytest.mark.parametrize("content", ["", "notes.txt"])
def test_a_folder_without_pictures_is_said_plainly(
    content: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if content:
        (tmp_path / content).write_text("x", encoding="utf-8")

    code = run(tmp_path)

    told = capfd.readouterr()
    assert code == 1
    assert told.err == f"no picture in {tmp_path}\n"
    assert told.out == ""


def test_a_table_that_can_not_be_written_is_said_before_the_work(
    crops: dict[Path, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = next(iter(crops))
    before = picture.read_bytes()

    for table, reason in (
        (tmp_path / "absent" / "out.csv", "can not be written: no such file or directory"),
        (tmp_path, "can not be written: is a directory"),
        (picture, "would replace a picture"),
    ):
        assert run(picture, "--crops", "--csv", table) == 1
        told = capfd.readouterr()
        assert reason in told.err
        assert len(told.err.splitlines()) == 1

    assert picture.read_bytes() == before


def test_a_full_disk_is_said_in_one_line(
    crops: dict[Path, str], capfd: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")

    code = run(next(iter(crops)), "--crops", "--csv", full)

    assert code == 1
    assert "/dev/full can not be written: no space left on device" in capfd.readouterr().err


def test_an_interruption_keeps_what_was_read_and_says_so(
    crops: dict[Path, str], tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}.png").hardlink_to(next(iter(crops)))
    table = tmp_path / "out.csv"
    with subprocess.Popen(
        [sys.executable, "-m", "models.cli", "read", folder, "--crops", "--csv", table],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for_lines(table, at_least=3, process=process)

        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=LIMIT_S)

    rows = rows_of(table.read_text(encoding="utf-8"))
    assert process.returncode == 130
    assert 2 <= len(rows) < 3000
    assert all(row["answered"] in {"0", "1"} for row in rows)
    assert f"{len(rows)} of 3000 pictures read" in told
    assert "interrupted; what was read before is kept" in told


def wait_for_lines(table: Path, *, at_least: int, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + LIMIT_S
    while time.monotonic() < until_s and process.poll() is None:
        if table.exists() and table.read_bytes().count(b"\n") >= at_least:
            return
        select.select([], [], [], 0.01)
    raise AssertionError("no line was written in time")


def test_progress_is_shown_on_a_terminal_and_only_there(crops: dict[Path, str]) -> None:
    command = [sys.executable, "-m", "models.cli", "read", *map(str, crops), "--crops"]
    main_end, terminal = pty.openpty()

    on_terminal = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=terminal, check=True, text=True
    )
    os.close(terminal)
    shown = os.read(main_end, 100_000).decode()
    os.close(main_end)
    piped = subprocess.run(command, capture_output=True, check=True, text=True)

    assert f"{len(crops)}/{len(crops)}" in shown
    assert "pictures/s" in shown
    assert "\x1b" not in piped.stderr + piped.stdout
    assert piped.stdout == on_terminal.stdout
    assert len(piped.stderr.splitlines()) == 1
