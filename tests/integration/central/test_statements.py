# SPDX-License-Identifier: AGPL-3.0-or-later
"""Daily statements on a real database: signed, superseded and never overwritten, and provable."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from cryptography.x509 import load_pem_x509_certificate
from typer.testing import CliRunner

from central.completeness.commands import completeness_commands, verdict
from central.completeness.errors import DayNotOverError, StatementUnreadableError
from central.completeness.statement import (
    Statement,
    StatementReport,
    file_of,
    read_file,
    sha256_of,
    verify_file,
)
from central.completeness.stating import Stated, StatementMaker
from central.documents.development_key import ensure_development_key
from central.documents.signing import house_key
from central.documents.types import SigningKey
from central.documents.verification import verify_pdf_now
from central.settings import CentralSettings, DocumentsSettings, OfficeSettings
from tests.integration.central.ledgers import DAY, HOUR, NOW, TODAY, Centre, passages

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

OFFICE = OfficeSettings(name="Trung tâm A", authority="Sở Xây dựng", place="Đắk Lắk")
TOMORROW = NOW + DAY
Make = Callable[..., tuple[Stated, bytes, bytes]]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    folder = tmp_path_factory.mktemp("keys")
    made = SigningKey(
        key_file=folder / "key.pem",
        certificate_file=folder / "certificate.pem",
        ca_file=folder / "ca.pem",
    )
    ensure_development_key(made, now=NOW)
    return made


@pytest.fixture
def make(centre: Centre, key: SigningKey) -> Make:
    """State something about a day, and read both files back."""

    def make_statement(
        *, now: timedelta = DAY, with_key: bool = True
    ) -> tuple[Stated, bytes, bytes]:
        async def state() -> tuple[Stated, bytes, bytes]:
            async with await psycopg.AsyncConnection.connect(centre.url) as connection:
                maker = StatementMaker(connection, office=OFFICE, key=key if with_key else None)
                stated = await maker.state(TODAY, maker="tests", now=NOW + now)
                return stated, *await maker.files(stated.statement)

        return asyncio.run(state())

    return make_statement


def report_of(content: bytes, key: SigningKey) -> StatementReport:
    return verify_file(content, trusted_ca=load_pem_x509_certificate(key.ca_file.read_bytes()))


def test_a_statement_says_the_figures_and_every_gap_and_is_signed_twice(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey
) -> None:
    centre.store(device, *passages(device, 1, 2, 6), *passages(device, 7, camera_id="cam-9"))
    centre.store(device, device.heartbeat(outbox_last_seq=9, outbox_events=2))

    stated, file, paper = make()

    report = report_of(file, key)
    [row] = report.statement.devices
    assert verdict(report)[0].startswith("VALID.")
    assert (row.device_id, row.first, row.last) == (device.device_id, 1, 9)
    assert [(gap.first, gap.last, gap.explanation) for gap in row.gaps] == [
        (3, 5, "lost"),
        (7, 7, "quarantined"),
        (8, 9, "offline"),
    ]
    assert report.statement.figures == row.figures
    assert (row.figures.due, row.figures.stored, row.figures.lost) == (9, 3, 3)
    assert (stated.statement.due_count, stated.statement.gap_count) == (9, 3)
    assert verify_pdf_now(paper, trusted_ca=key.ca_file, now=TOMORROW).is_good


def test_a_later_statement_supersedes_the_earlier_one_which_stays(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey, rows: psycopg.Connection
) -> None:
    centre.store(device, *passages(device, 1, 3))
    first, first_file, _ = make()
    same, same_file, _ = make(now=DAY + HOUR)
    centre.store(device, *passages(device, 2), now=TOMORROW)

    second, second_file, _ = make(now=DAY + 2 * HOUR)

    assert (first.is_new, same.is_new, second.is_new) == (True, False, True)
    assert same_file == first_file
    statement = report_of(second_file, key).statement
    assert (statement.revision, statement.supersedes) == (2, sha256_of(first_file))
    assert (statement.figures.stored, statement.figures.gaps) == (3, 0)
    kept = rows.execute("SELECT content FROM completeness_statement ORDER BY revision").fetchall()
    assert [bytes(content) for (content,) in kept] == [first_file, second_file]


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE completeness_statement SET gap_count = 0",
        "DELETE FROM completeness_statement",
        "TRUNCATE completeness_statement",
    ],
)
def test_the_services_can_t_change_what_was_stated(database_url: str, act: str) -> None:
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(act)


def test_without_a_key_a_statement_is_not_signed_and_is_made_again_once_there_is_one(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey
) -> None:
    centre.store(device, *passages(device, 1))

    bare, bare_file, _ = make(with_key=False)
    signed, signed_file, _ = make()

    assert (bare.statement.signed_by, signed.statement.revision) == (None, 2)
    assert verdict(report_of(bare_file, key))[0].startswith("NOT SIGNED.")
    assert report_of(signed_file, key).is_good


def test_nothing_is_stated_about_a_day_that_goes_on(make: Make) -> None:
    with pytest.raises(DayNotOverError):
        make(now=timedelta(0))


def test_the_command_finds_a_file_that_was_changed(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey, tmp_path: Path
) -> None:
    centre.store(device, *passages(device, 1, 3))
    _, file, paper = make()
    other = tmp_path / "other"
    other.mkdir()
    foreign = SigningKey(
        key_file=other / "key.pem",
        certificate_file=other / "certificate.pem",
        ca_file=other / "ca.pem",
    )
    ensure_development_key(foreign, now=NOW)
    app = completeness_commands(
        lambda: CentralSettings(
            database_url=centre.url, documents=DocumentsSettings(ca_file=key.ca_file)
        )
    )

    def verify(content: bytes, name: str = "statement.json") -> tuple[int, str]:
        place = tmp_path / name
        place.write_bytes(content)
        done = CliRunner().invoke(app, ["verify", str(place)])
        return done.exit_code, done.output or str(done.exception)

    better = json.loads(file)
    better["statement"]["figures"] |= {"stored": 3, "lost": 0, "offline": 0, "gaps": 0}
    forged = json.dumps(better, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    resigned = file_of(read_file(file), house_key(foreign))

    assert verify(file)[0] == 0
    assert "VALID. The file is intact" in verify(file)[1]
    for changed in (forged.encode(), resigned, b"{}", file[:-2], file + b" ", b"\xff"):
        assert verify(changed)[0] == 1
    assert "NOT VALID" in verify(forged.encode())[1]
    assert "NOT TRUSTED" in verify(resigned)[1]
    assert verify(paper, "statement.pdf")[0] == 0
    assert verify(paper.replace(b"%%EOF", b"%%EOG"), "statement.pdf")[0] == 1


def test_any_changed_byte_of_a_file_is_found(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey
) -> None:
    centre.store(device, *passages(device, 1, 3))
    _, file, _ = make()

    for place in range(0, len(file), 7):
        changed = bytearray(file)
        changed[place] ^= 1
        try:
            assert not report_of(bytes(changed), key).is_good, place
        except StatementUnreadableError:
            continue


def test_figures_that_do_not_add_up_are_no_proof(
    centre: Centre, device: "FakeDevice", make: Make, key: SigningKey
) -> None:
    centre.store(device, *passages(device, 1, 3))
    _, file, _ = make()
    statement = read_file(file)
    wrong: Statement = statement.model_copy(
        update={"figures": statement.figures.model_copy(update={"stored": 3})}
    )

    report = report_of(file_of(wrong, house_key(key)), key)

    assert (report.is_intact, report.is_trusted, report.is_good) == (True, True, False)
