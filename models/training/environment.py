# SPDX-License-Identifier: AGPL-3.0-or-later
"""The training environment: made by one command, apart from the product's.

``python -m models.training.environment`` makes ``.venv-train`` with the
versions of ``requirements-train.lock``. The product's own environment never
holds torch; the runtime needs none of this.
"""

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from models.errors import TrainingEnvironmentError

PROJECT_FOLDER: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT_FOLDER: Final = PROJECT_FOLDER / ".venv-train"
LOCK_FILE: Final = PROJECT_FOLDER / "requirements-train.lock"
MAKE_COMMAND: Final = "python -m models.training.environment"
INSTALL_TIMEOUT_S: Final = 3600
TORCH: Final = "torch==2.13.0"
"""Not in the lock: which build of it is offered, and so its hash, depends on the machine."""

_NEEDED_MODULES: Final = (
    "torch",
    "ultralytics",
    "nncf",
    "onnx",
    "onnxslim",
    "openvino",
    "onnxruntime",
)


def require_training_environment() -> None:
    """Check that this interpreter can train.

    Raises:
        TrainingEnvironmentError: Something is missing; the message says what
            and which command mends it.
    """
    missing = [name for name in _NEEDED_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise TrainingEnvironmentError(
            f"training needs {', '.join(missing)}; make the training environment with: "
            f"{MAKE_COMMAND}"
        )


def environment_python() -> Path | None:
    """Interpreter of the training environment; ``None`` when it was not made."""
    path = ENVIRONMENT_FOLDER / "bin" / "python"
    return path if path.exists() else None


def quieten_library(settings_folder: Path) -> None:
    """Keep the training library from asking the network and from writing in home.

    Must run before the library is imported.

    Args:
        settings_folder: Where the library keeps its settings; made if absent.
    """
    settings_folder.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_OFFLINE"] = "True"
    os.environ["YOLO_CONFIG_DIR"] = str(settings_folder)


def make_environment(folder: Path = ENVIRONMENT_FOLDER) -> Path:
    """Make or complete the training environment.

    Returns:
        Its interpreter.

    Raises:
        TrainingEnvironmentError: The package installer failed.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    # The lock names everything, so nothing else may come: the training library asks for a
    # desktop's OpenCV and for a torchvision that does not fit the processor's torch.
    _install(python, ("--no-deps", TORCH))
    _install(python, ("--no-deps", "--require-hashes", "--requirement", str(LOCK_FILE)))
    return python


def _install(python: Path, arguments: tuple[str, ...]) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    try:
        subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise TrainingEnvironmentError(
            f"the package installer failed; run it again with: {MAKE_COMMAND}"
        ) from error


def main() -> int:
    """Make the environment; exit code 0 when it is complete."""
    try:
        python = make_environment()
    except TrainingEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"training environment ready: {python.relative_to(PROJECT_FOLDER)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
