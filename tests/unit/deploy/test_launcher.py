# SPDX-License-Identifier: AGPL-3.0-or-later
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.setup.places import PROJECT_FOLDER

NEEDED_TOOLS = ("sh", "readlink", "dirname", "id", "mkdir", "cat", "cksum", "df", "awk")


def launch(
    environment: Mapping[str, str], *, shell: str = "sh"
) -> subprocess.CompletedProcess[str]:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    return subprocess.run(
        [program, str(PROJECT_FOLDER / "luuthong"), "status"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tools_only(folder: Path) -> str:
    folder.mkdir()
    for name in NEEDED_TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_without_python_the_exact_command_is_named(tmp_path: Path, shell: str) -> None:
    result = launch({"PATH": tools_only(tmp_path / "bin")}, shell=shell)

    assert result.returncode == 1
    assert "apt-get install --yes python3" in result.stderr


def test_an_old_python_is_named_with_its_version(tmp_path: Path) -> None:
    path = tools_only(tmp_path / "bin")
    old = tmp_path / "bin" / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)

    result = launch({"PATH": path})

    assert result.returncode == 1
    assert "this machine has Python 3.9.2" in result.stderr


def test_a_home_that_cannot_be_made_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = launch({**os.environ, "LUUTHONG_HOME": str(tmp_path / "file" / "home")})

    assert result.returncode == 1
    assert "is not writable for you" in result.stderr
    assert "LUUTHONG_HOME=" in result.stderr


def test_a_wrong_choice_of_python_is_refused(tmp_path: Path) -> None:
    result = launch({**os.environ, "LUUTHONG_PYTHON": str(tmp_path / "absent")})

    assert result.returncode == 1
    assert "is not a Python 3.11 or newer" in result.stderr
