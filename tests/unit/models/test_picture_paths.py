# SPDX-License-Identifier: AGPL-3.0-or-later
import os
from pathlib import Path

import pytest

from models.errors import PictureSourceError
from models.reading import picture_paths
from models.reading.picture_paths import find_pictures, natural_order


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_natural_order_counts_numbers_as_numbers() -> None:
    names = ["a10.jpg", "a2.jpg", "b1.jpg", "a1b10.jpg", "a1b9.jpg"]

    ordered = sorted(names, key=natural_order)

    assert ordered == ["a1b9.jpg", "a1b10.jpg", "a2.jpg", "a10.jpg", "b1.jpg"]


def test_a_folder_gives_all_pictures_below_it_in_natural_order(tmp_path: Path) -> None:
    touch(
        tmp_path / "b" / "deep" / "2.PNG",
        tmp_path / "a10.jpg",
        tmp_path / "a2.jpeg",
        tmp_path / "notes.txt",
        tmp_path / "b" / "1.webp",
    )

    found = find_pictures([tmp_path])

    names = [path.relative_to(tmp_path).as_posix() for path in found.pictures]
    assert names == ["a2.jpeg", "a10.jpg", "b/1.webp", "b/deep/2.PNG"]
    assert found.other_files == 1
    assert found.unusable == ()


def test_paths_keep_the_form_in_which_they_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "gate" / "1.jpg")
    monkeypatch.chdir(tmp_path)

    assert find_pictures([Path("gate")]).pictures == (Path("gate/1.jpg"),)
    assert find_pictures([tmp_path / "gate"]).pictures == (tmp_path / "gate" / "1.jpg",)


def test_what_is_named_twice_or_linked_is_listed_once(tmp_path: Path) -> None:
    picture = tmp_path / "1.jpg"
    touch(picture)
    (tmp_path / "again.jpg").symlink_to(picture)

    found = find_pictures([picture, tmp_path, tmp_path / ".." / tmp_path.name / "1.jpg"])

    assert found.pictures == (picture,)


def test_a_link_back_to_a_folder_above_ends(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "itself.jpg").symlink_to(tmp_path / "itself.jpg")

    found = find_pictures([tmp_path])

    assert tmp_path / "a" / "1.jpg" in found.pictures


def test_hidden_files_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "._1.jpg", tmp_path / ".trash" / "2.jpg", tmp_path / "3.jpg")

    assert find_pictures([tmp_path]).pictures == (tmp_path / "3.jpg",)
    assert find_pictures([tmp_path / "._1.jpg"]).pictures == (tmp_path / "._1.jpg",)


def test_a_named_file_needs_no_ending_and_an_absent_one_is_told(tmp_path: Path) -> None:
    touch(tmp_path / "photo")

    found = find_pictures([tmp_path / "photo", tmp_path / "gone.jpg"])

    assert found.pictures == (tmp_path / "photo",)
    assert [(item.path.name, item.reason) for item in found.unusable] == [
        ("gone.jpg", "no such file or folder")
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may look into every folder")
def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)

    found = find_pictures([tmp_path])

    closed.chmod(0o700)
    assert [item.path for item in found.unusable] == [closed]


def test_too_many_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(*(tmp_path / f"{number}.jpg" for number in range(4)))
    monkeypatch.setattr(picture_paths, "MAX_PICTURES", 3)

    with pytest.raises(PictureSourceError, match="more than 3 pictures"):
        find_pictures([tmp_path])
