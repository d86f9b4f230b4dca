# SPDX-License-Identifier: AGPL-3.0-or-later
from pathlib import Path

import pytest

from models import cli
from models.errors import TrainingEnvironmentError
from models.runtime.registry import model_names
from models.training import environment
from models.training.detectors.settings import CONFIG_FOLDER, read_detector_training
from models.training.environment import LOCK_FILE, TORCH


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def test_verify_names_every_released_model(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("verify")

    printed = capsys.readouterr().out
    assert code == 0
    assert all(f"{name} " in printed for name in model_names())


def test_info_tells_of_models_data_and_environment(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("info")

    printed = capsys.readouterr().out
    assert code == 0
    assert "plate-detector.onnx" in printed
    assert "real pictures:" in printed
    assert "training environment:" in printed


def test_without_training_environment_the_command_that_makes_it_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "_NEEDED_MODULES", ("a_module_that_nobody_has",))
    monkeypatch.setattr(environment, "ENVIRONMENT_FOLDER", tmp_path)

    code = run("train", "plate-detector")

    message = capsys.readouterr().err
    assert code == 1
    assert "a_module_that_nobody_has" in message
    assert "python -m models.training.environment" in message


def test_evaluating_without_pictures_names_the_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = run("evaluate", "plate-detector", "--data", str(tmp_path))

    assert code == 1
    assert "--data" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["plate-detector", "vehicle-detector"])
def test_the_kept_training_files_are_complete(name: str) -> None:
    training = read_detector_training(name)

    assert set(training.class_of.values()) == set(range(len(training.labels)))
    assert isinstance(training.trainer["seed"], int)
    assert (CONFIG_FOLDER / f"{name}.toml").exists()


def test_an_incomplete_training_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('manifest = "x"\n', encoding="utf-8")

    with pytest.raises(TrainingEnvironmentError, match=r"one\.toml can not be used"):
        read_detector_training("one", folder=tmp_path)
    with pytest.raises(TrainingEnvironmentError, match=r"two\.toml can not be used"):
        read_detector_training("two", folder=tmp_path)


def test_the_lock_holds_the_training_library_and_leaves_torch_to_its_own_name() -> None:
    pinned = {
        line.split("==")[0]
        for line in LOCK_FILE.read_text(encoding="utf-8").splitlines()
        if "==" in line
    }

    assert {"ultralytics", "torchvision", "onnx"} <= pinned
    assert "torch" not in pinned
    assert TORCH.startswith("torch==")


def test_a_source_is_left_out_of_detectors_only(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("train", "plate-reader", "--without", "idhw")

    assert code == 1
    assert "--without is for the detectors" in capsys.readouterr().err
