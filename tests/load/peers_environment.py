# SPDX-License-Identifier: AGPL-3.0-or-later
"""An environment of their own for the peers, made once and thrown away by deleting its folder.

It is never a dependency: nothing of it is imported here, and no lock names it.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

from models.training.environment import LOCK_FILE, PROJECT_FOLDER, make_environment

FASTANPR: Final = "fastanpr==0.1.13"
"""AGPL-3.0. Only its detector's weights are used: its reader, PaddleOCR, asks for a processor
library of its own and downloads its models at the first call."""
RAPIDOCR: Final = "rapidocr==3.10.0"
"""Apache-2.0, models inside the package."""
INSTALL_TIMEOUT_S: Final = 1800
WORKER: Final = "tests.load.peers_worker"
_COMPLETE: Final = "complete.txt"


def peers_folder() -> Path:
    """Where the environment lies: with all else that the launcher makes, ignored by git."""
    home = os.environ.get("LUUTHONG_HOME")
    return (Path(home) if home else PROJECT_FOLDER / ".luuthong") / "peers"


def make_peers_environment(folder: Path) -> Path:
    """Make or complete the environment.

    Returns:
        Its interpreter.

    Raises:
        ModelsError: The package installer failed at the training library.
        subprocess.CalledProcessError: It failed at a peer.
    """
    wanted = f"{FASTANPR} {RAPIDOCR} {LOCK_FILE.stat().st_mtime_ns}"
    note = folder / _COMPLETE
    if note.exists() and note.read_text(encoding="utf-8") == wanted:
        return folder / "bin" / "python"
    python = make_environment(folder)
    for arguments in (("--no-deps", FASTANPR), (RAPIDOCR,)):
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments],
            check=True,
            timeout=INSTALL_TIMEOUT_S,
        )
    note.write_text(wanted, encoding="utf-8")
    return python
