# SPDX-License-Identifier: AGPL-3.0-or-later
import csv
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from models import cli
from models.datasets.reviewed import (
    CROPS_FOLDER,
    LABELS_FILE,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    ReviewedCrop,
    purge_reviewed,
    read_reviewed,
)
from models.errors import DatasetError
from models.runtime.values import PlateColour, PlateLayout

TODAY = date(2026, 3, 10)
TOMORROW = date(2026, 3, 11)
PASSAGE = "0195d7a0-0000-7000-8000-000000000001"
GOOD = {
    "file": "a.jpg",
    "text": "30A12345",
    "lines": "2",
    "colour": "white",
    "source": "gate-3",
    "reviewed_on": "2026-03-01",
    "passage_id": PASSAGE,
    "expires_on": TOMORROW.isoformat(),
}


def folder_of(folder: Path, *rows: Mapping[str, str], pictures: tuple[str, ...] = ()) -> Path:
    (folder / CROPS_FOLDER).mkdir()
    columns = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    with (folder / LABELS_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    for name in pictures or [row["file"] for row in rows if "/" not in row["file"]]:
        (folder / CROPS_FOLDER / name).write_bytes(b"a picture")
    return folder


def pictures_in(folder: Path) -> set[str]:
    return {entry.name for entry in (folder / CROPS_FOLDER).iterdir()}


def test_a_complete_line_is_handed_out(tmp_path: Path) -> None:
    found = read_reviewed(folder_of(tmp_path, GOOD), today=TODAY)

    assert found.expired == 0
    assert found.problems == ()
    assert found.crops == (
        ReviewedCrop(
            path=tmp_path / CROPS_FOLDER / "a.jpg",
            text="30A12345",
            layout=PlateLayout.TWO_LINE,
            colour=PlateColour.WHITE,
            source="gate-3",
            reviewed_on=date(2026, 3, 1),
            passage_id=UUID(PASSAGE),
            expires_on=TOMORROW,
        ),
    )


def test_colour_and_passage_may_be_unknown(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, GOOD | {"colour": "", "passage_id": ""})

    (crop,) = read_reviewed(folder, today=TODAY).crops

    assert (crop.colour, crop.passage_id) == (None, None)


def test_a_table_without_the_optional_columns_is_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, GOOD)
    values = ",".join(GOOD[column] for column in REQUIRED_COLUMNS)
    table = f"\ufeff{','.join(REQUIRED_COLUMNS)}\n{values}\n"
    (folder / LABELS_FILE).write_text(table, encoding="utf-8")

    assert len(read_reviewed(folder, today=TODAY).crops) == 1


@pytest.mark.parametrize(("expires_on", "is_usable"), [(TOMORROW, True), (TODAY, False)])
def test_a_crop_is_usable_until_the_day_on_which_its_passage_is_erased(
    expires_on: date, *, is_usable: bool, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, GOOD | {"expires_on": expires_on.isoformat()})

    found = read_reviewed(folder, today=TODAY)

    assert len(found.crops) == int(is_usable)
    assert found.expired == int(not is_usable)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file": "../a.jpg"}, "plain name"),
        ({"file": "/etc/passwd"}, "plain name"),
        ({"file": ""}, "plain name"),
        ({"text": ""}, "fits no legal format"),
        ({"text": "30A-123.45"}, "fits no legal format"),
        ({"text": "30a12345"}, "fits no legal format"),
        ({"text": "XXXXXXXX"}, "fits no legal format"),
        ({"lines": "3"}, "lines is 1 or 2"),
        ({"colour": "pink"}, "colour is one of"),
        ({"source": "Gate 3"}, "source needs"),
        ({"reviewed_on": "01/03/2026"}, "reviewed_on is no day"),
        ({"reviewed_on": "2026-03-11", "expires_on": "2027-01-01"}, "must be past"),
        ({"expires_on": ""}, "expires_on is no day"),
        ({"passage_id": "17"}, "passage_id is no UUID"),
    ],
)
def test_a_line_that_is_not_as_described_is_passed_over_and_told(
    change: dict[str, str], reason: str, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, GOOD | {"file": "b.jpg"}, GOOD | change, pictures=("b.jpg",))

    found = read_reviewed(folder, today=TODAY)

    assert [crop.path.name for crop in found.crops] == ["b.jpg"]
    assert len(found.problems) == 1
    assert "line 3" in found.problems[0]
    assert reason in found.problems[0]
    assert GOOD["text"] not in found.problems[0]


def test_missing_doubled_and_unnamed_pictures_are_told(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, GOOD, GOOD, GOOD | {"file": "gone.jpg"}, pictures=("a.jpg", "orphan.jpg")
    )

    found = read_reviewed(folder, today=TODAY)

    assert len(found.crops) == 1
    assert found.problems == (
        "line 3: its file stands in an earlier line too",
        "line 4: its picture is missing",
        "pictures in crops/ without a line, to be deleted: 1",
    )


def test_a_purge_deletes_what_has_expired_and_nothing_else(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        GOOD | {"file": "old.jpg", "expires_on": "2026-03-02"},
        GOOD,
        GOOD | {"file": "today.jpg", "expires_on": TODAY.isoformat()},
    )

    done = purge_reviewed(folder, today=TODAY)

    assert (done.lines, done.pictures, done.unreadable) == (2, 2, 0)
    assert pictures_in(folder) == {"a.jpg"}
    assert [crop.path.name for crop in read_reviewed(folder, today=TODAY).crops] == ["a.jpg"]
    assert {entry.name for entry in folder.iterdir()} == {LABELS_FILE, CROPS_FOLDER}
    # As time goes on, everything goes.
    assert purge_reviewed(folder, today=TODAY + timedelta(days=1)).pictures == 1
    assert pictures_in(folder) == set()


def test_a_purge_that_was_broken_off_is_finished_by_the_next(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, GOOD | {"expires_on": "2026-03-02"})
    (folder / CROPS_FOLDER / "a.jpg").unlink()

    done = purge_reviewed(folder, today=TODAY)

    assert (done.lines, done.pictures) == (1, 0)
    assert purge_reviewed(folder, today=TODAY).lines == 0


def test_a_purge_never_leaves_the_folder_and_keeps_what_states_no_day(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"x")
    (tmp_path / "reviewed").mkdir()
    folder = folder_of(
        tmp_path / "reviewed",
        GOOD | {"file": "../../outside.jpg", "expires_on": "2026-03-02"},
        GOOD | {"expires_on": "soon"},
        pictures=("a.jpg",),
    )

    done = purge_reviewed(folder, today=TODAY)

    assert outside.exists()
    assert (done.lines, done.pictures, done.unreadable) == (0, 0, 2)
    assert pictures_in(folder) == {"a.jpg"}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (None, "no labels.csv"),
        ("file,text\n", "lacks the columns expires_on, lines, reviewed_on, source"),
        (f"{','.join(REQUIRED_COLUMNS)}\n{'x,' * 9}\n", "line 2 has too many fields"),
    ],
)
def test_a_folder_without_a_right_table_is_refused(
    table: str | None, reason: str, tmp_path: Path
) -> None:
    if table is not None:
        (tmp_path / LABELS_FILE).write_text(table, encoding="utf-8")

    for work in (read_reviewed, purge_reviewed):
        with pytest.raises(DatasetError, match=reason):
            work(tmp_path, today=TODAY)


def test_the_commands_check_and_purge_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(
        tmp_path,
        GOOD | {"expires_on": "2099-01-01"},
        GOOD | {"file": "old.jpg", "expires_on": "2026-03-02"},
    )

    def run(command: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["reviewed", command, str(folder)])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out + told.err

    code, told = run("check")
    assert code == 1
    assert "1 crops may be used, 1 have expired, 0 problems" in told
    assert "luuthong-models reviewed purge" in told
    assert run("purge") == (0, "1 lines and 1 pictures deleted\n")
    assert run("check") == (0, "1 crops may be used, 0 have expired, 0 problems\n")
