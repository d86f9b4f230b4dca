# SPDX-License-Identifier: AGPL-3.0-or-later
"""Model files that are not what the registry says, met through the real command."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import cli
from models.runtime.registry import MODELS_FOLDER, PLATE_READER, load_model


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A copy of the released models that a test may damage."""
    folder = tmp_path / "models"
    shutil.copytree(MODELS_FOLDER / "weights", folder / "weights")
    shutil.copy(MODELS_FOLDER / "registry.toml", folder)
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    path.write_bytes(cv2.imencode(".png", np.full((40, 80, 3), 90, np.uint8))[1].tobytes())
    return path


def refusal(folder: Path, picture: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What ``read`` says; it must be one line, the code 1, and no table begun."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["read", str(picture), "--models", str(folder)])
    told = capfd.readouterr()
    assert ended.value.code == 1
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    return told.err


def registry_changed(folder: Path, pattern: str, replacement: str) -> None:
    path = folder / "registry.toml"
    text, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_text(text, encoding="utf-8")


def reader_file(folder: Path) -> Path:
    return folder / "weights" / load_model(PLATE_READER).path.name


def test_an_untouched_copy_is_used(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["read", str(picture), "--models", str(released), "--crops"])

    assert ended.value.code == 0
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_missing_weights_are_named(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reader_file(released).unlink()

    told = refusal(released, picture, capfd)

    assert "plate-reader.onnx is missing" in told
    assert "restore models/weights" in told


def test_weights_that_are_cut_short_are_told_with_their_size(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = reader_file(released).read_bytes()
    reader_file(released).write_bytes(whole[:1000])

    told = refusal(released, picture, capfd)

    assert f"is cut short or of another version: 1000 of {len(whole)} bytes" in told


def test_weights_with_one_changed_byte_are_told_by_their_digest(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(reader_file(released).read_bytes())
    content[len(content) // 2] ^= 1
    reader_file(released).write_bytes(content)

    told = refusal(released, picture, capfd)

    assert "is of another version or was changed" in told
    assert "expected sha256" in told


def test_weights_of_another_model_are_refused(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(released / "weights" / "plate-detector.onnx", reader_file(released))

    assert "is of another version" in refusal(released, picture, capfd)


def test_a_registry_of_another_generation_is_refused_by_what_it_lacks(
    released: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    registry_changed(released, r"temperature = .*\n", "")

    told = refusal(released, picture, capfd)

    assert "model plate-reader: its registry entry needs temperature as a number" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((r"\[models\.plate-reader\]", "[models.reader]"), "the registry lacks file"),
        ((r"\[models\.plate-reader\]", "[models.plate-reader"), "can not be read"),
        ((r'file = "plate-reader\.onnx"', 'file = "plate-reader-9.onnx"'), "is missing"),
        ((r"(?s)\[models\.plate-reader\].*", ""), "no model is called 'plate-reader'"),
        ((r"(?s).*", ""), "has no table"),
    ],
)
def test_a_registry_that_does_not_lead_to_the_reader_is_refused(
    change: tuple[str, str],
    told: str,
    released: Path,
    picture: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    registry_changed(released, *change)

    assert told in refusal(released, picture, capfd)


def test_a_folder_without_registry_is_refused(
    tmp_path: Path, picture: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "registry.toml is missing" in refusal(tmp_path, picture, capfd)


def test_verify_tells_of_a_damaged_file(released: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reader_file(released).write_bytes(b"")

    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", "--models", str(released)])

    assert ended.value.code == 1
    assert "plate-reader.onnx is cut short" in capfd.readouterr().err
