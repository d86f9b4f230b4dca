# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong-central registry import`` as an administrator meets it: exit codes, words, Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from central.cli import main
from central.registry.importing.errors import FileTooLargeError
from central.registry.importing.reading import read_table

COMMAND = str(Path(sys.executable).with_name("luuthong-central"))
AS_OF = ("--as-of", "2026-03-01")
DONE, FAILED, BAD_ROWS, INTERRUPTED = 0, 1, 2, 130
MANY = 20_000

PARTIES = "identity_number,kind,name\n4600000001,organisation,Công ty TNHH Vận tải A\n"
VEHICLES = "chassis_number,kind,owner\nRLHTRUCK000000001,truck,4600000001\n"
PLATES = "chassis_number,plate,colour,valid_from\nRLHTRUCK000000001,20C-123.45,yellow,15/01/2024\n"

WaitUntil = Callable[..., None]


class Administrator:
    """Types commands in a folder with files."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "LUUTHONG_CENTRAL_DATABASE_URL": database_url,
        }

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def takes(self, kind: str, path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (*self.command(kind, path), *options),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def takes_here(self, kind: str, path: Path) -> "subprocess.CompletedProcess[str]":
        """What it does when this process runs it: a new one takes a second to begin."""
        command = (*self.command(kind, path), "--apply")
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(StringIO()) as said,
            redirect_stderr(StringIO()) as complained,
        ):
            patch.setattr(sys, "argv", [*command])
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        code = int(ended.value.code or 0)
        return subprocess.CompletedProcess(command, code, said.getvalue(), complained.getvalue())

    def command(self, kind: str, path: Path) -> tuple[str, ...]:
        return (COMMAND, "registry", "import", str(path), "--kind", kind, *AS_OF)

    def settle(self) -> None:
        """A firm with a truck and its plate."""
        for kind, content in (("parties", PARTIES), ("vehicles", VEHICLES), ("plates", PLATES)):
            taken = self.takes_here(kind, self.file(f"{kind}.csv", content))
            assert taken.returncode == DONE, taken.stdout + taken.stderr

    def count(self, table: str) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        assert row is not None
        return int(row[0])


@pytest.fixture
def administrator(database_url: str, tmp_path: Path) -> Administrator:
    return Administrator(database_url, tmp_path)


def test_a_file_is_tried_out_then_taken_in_and_the_second_time_nothing_changes(
    administrator: Administrator,
) -> None:
    path = administrator.file("parties.csv", PARTIES)

    tried = administrator.takes("parties", path)
    after_trial = administrator.count("party")
    taken = administrator.takes("parties", path, "--apply")
    again = administrator.takes("parties", path, "--apply")

    assert [each.returncode for each in (tried, taken, again)] == [DONE, DONE, DONE]
    assert "mới / created 1," in tried.stdout
    assert "add --apply to import" in tried.stdout
    assert after_trial == 0
    assert "The whole file was imported." in taken.stdout
    assert "mới / created 0, đổi / changed 0, không đổi / unchanged 1," in again.stdout
    assert administrator.count("party") == 1


def test_a_file_of_a_spreadsheet_with_mark_and_semicolons_is_taken_in(
    administrator: Administrator,
) -> None:
    content = "\ufeffSố định danh;Loại;Tên\r\n4600000001;Tổ chức;Công ty TNHH Vận tải A\r\n"

    taken = administrator.takes("parties", administrator.file("so.csv", content), "--apply")

    assert (taken.returncode, taken.stderr) == (DONE, "")
    assert administrator.count("party WHERE name = 'Công ty TNHH Vận tải A'") == 1


@pytest.mark.parametrize(
    ("kind", "content", "where", "words"),
    [
        (
            "inspections",
            "chassis_number,inspected_until\nRLHTRUCK000000001,31/02/2027\n",
            "dòng 2, cột inspected_until:",
            "date",
        ),
        (
            "vehicles",
            "chassis_number,kind,owner\nNEW01,truck,4600000001\nNEW01,car,4600000001\n",
            "dòng 3, cột chassis_number:",
            "trùng với dòng 2 / doubles line 2",
        ),
        (
            "plates",
            "chassis_number,plate,colour,valid_from\nRLHTRUCK000000001,20C-999.99,vàng,1/1/2026\n",
            "dòng 2, cột valid_from:",
            "two plates on one vehicle",
        ),
        (
            "plates",
            "chassis_number,plate,colour,valid_from\nNOSUCHCAR,20C-999.99,vàng,1/1/2026\n",
            "dòng 2, cột chassis_number:",
            "/",
        ),
    ],
)
def test_a_bad_row_is_named_by_line_and_column_and_nothing_is_kept(
    administrator: Administrator, kind: str, content: str, where: str, words: str
) -> None:
    administrator.settle()
    before = administrator.count("vehicle"), administrator.count("vehicle_plate")

    refused = administrator.takes_here(kind, administrator.file("bad.csv", content))

    assert (refused.returncode, refused.stderr) == (BAD_ROWS, "")
    [line] = [each for each in refused.stdout.splitlines() if each.startswith(where)]
    assert words in line
    assert "Nothing was written: mend the bad rows." in refused.stdout
    assert (administrator.count("vehicle"), administrator.count("vehicle_plate")) == before
    assert administrator.count("vehicle WHERE inspected_until IS NOT NULL") == 0
    assert administrator.count("registry_import") == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "thiếu cột / missing columns: "),
        (b"\xef\xbb\xbf", "thiếu cột / missing columns: "),
        (PARTIES.encode("utf-16"), "tệp không phải UTF-8 (UTF-16)"),
        (b"identity_number,kind,name,wheels\n", "unknown or doubled columns: wheels"),
        (b"identity_number,kind,name,\x1b[31mred\n", "unknown or doubled columns: ?[31mred"),
        (b"identity_number,kind,name" + b",x" * 5000, "x, x, …"),
    ],
)
def test_what_is_no_table_of_its_kind_is_refused_in_one_line(
    administrator: Administrator, content: bytes, words: str
) -> None:
    refused = administrator.takes_here("parties", administrator.file("odd.csv", content))

    assert (refused.returncode, refused.stdout) == (FAILED, "")
    assert refused.stderr.startswith("luuthong-central: ")
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert len(refused.stderr) < 500
    assert refused.stderr[:-1].isprintable()


def test_a_missing_file_and_a_folder_are_named_without_their_place(
    administrator: Administrator,
) -> None:
    missing = administrator.takes("parties", administrator.folder / "nowhere.csv")
    folder = administrator.takes("parties", administrator.folder)

    assert (missing.returncode, folder.returncode) == (FAILED, FAILED)
    assert missing.stderr == "luuthong-central: nowhere.csv: No such file or directory\n"
    assert folder.stderr == f"luuthong-central: {administrator.folder.name}: Is a directory\n"


@pytest.mark.parametrize("source", ["/dev/zero", "plain"])
def test_no_more_is_read_than_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(f"{read_table.__module__}.FILE_BYTES_MAX", 1000)
    path = Path(source)
    if source == "plain":
        path = tmp_path / source
        path.write_bytes(b"x" * 1001)

    with pytest.raises(FileTooLargeError):
        read_table(path, known_columns=frozenset(), rows_max=10)


def test_ctrl_c_while_a_big_file_is_taken_in_leaves_nothing(
    administrator: Administrator, wait_until: WaitUntil
) -> None:
    rows = (f"{4600000000 + each},organisation,Công ty {each}\n" for each in range(MANY))
    path = administrator.file("many.csv", "identity_number,kind,name\n" + "".join(rows))

    def has_written_rows() -> bool:
        return bool(
            administrator.count(
                "pg_stat_activity WHERE application_name = 'luuthong-import'"
                " AND query LIKE '%INSERT INTO registry_import%' AND wait_event_type = 'Lock'"
            )
        )

    with psycopg.connect(administrator.database_url) as holder:
        # What is written last has to wait, so that the end of the work is not a matter of luck.
        holder.execute("LOCK TABLE registry_import IN SHARE MODE")
        with subprocess.Popen(
            (*administrator.command("parties", path), "--apply"),
            env=administrator.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                wait_until(has_written_rows, what="rows are written")
                process.send_signal(signal.SIGINT)
                said, complained = process.communicate(timeout=30)
            finally:
                process.kill()

    assert process.returncode == INTERRUPTED
    assert "Interrupted, nothing was written." in said
    assert "Traceback" not in complained
    assert administrator.count("party") == 0
    assert administrator.count("registry_import") == 0
