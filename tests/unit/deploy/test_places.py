# SPDX-License-Identifier: AGPL-3.0-or-later
import os
from pathlib import Path

import pytest

from deploy.errors import DiskSpaceError, PlaceNotUsableError
from deploy.setup.places import (
    ServerAccount,
    cache_folder,
    home_folder,
    is_reachable,
    require_free_space,
    require_writable,
    server_account,
)

STRANGER = ServerAccount(name="stranger", uid=54_321, gid=54_321)
EXABYTE = 10**18


def test_too_little_room_is_told_with_both_figures_and_the_setting(tmp_path: Path) -> None:
    with pytest.raises(DiskSpaceError, match=r"MiB free, and 953674316406 MiB.*LUUTHONG_HOME"):
        require_free_space(
            tmp_path / "not" / "made" / "yet", needed_bytes=EXABYTE, setting="LUUTHONG_HOME"
        )


def test_enough_room_is_no_news(tmp_path: Path) -> None:
    require_free_space(tmp_path, needed_bytes=1)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PlaceNotUsableError, match="Choose another place with LUUTHONG_HOME"):
        require_writable(tmp_path / "file" / "home", setting="LUUTHONG_HOME")


def test_a_private_folder_above_hides_everything_below_from_other_accounts(tmp_path: Path) -> None:
    below = tmp_path / "private" / "below"
    below.mkdir(parents=True)
    tmp_path.chmod(0o755)
    (tmp_path / "private").chmod(0o700)

    assert is_reachable(below, server_account()) or os.geteuid() == 0
    assert not is_reachable(below, STRANGER)


def test_settings_choose_cache_and_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUUTHONG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LUUTHONG_HOME", str(tmp_path / "home"))

    assert cache_folder() == tmp_path / "cache"
    assert home_folder() == tmp_path / "home"


def test_the_servers_never_run_as_root() -> None:
    assert server_account().uid != 0
