# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a dossier's page says of the signatures of its papers, answered by a served api."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from central.documents.development_key import ensure_development_key
from central.documents.types import SigningKey
from central.identity.permissions import Role
from tests.integration.api.dossiers import DossierWorld, code_of, dossier_world
from tests.integration.api.world import World, serving

GOOD = "Nguyên vẹn từ khi ký; người ký được tin cậy"
BROKEN = "Đã hỏng hoặc bị thay đổi sau khi ký"
UNTRUSTED = "Nguyên vẹn, nhưng người ký chưa được tin cậy"
UNCHECKED = "Chưa kiểm tra chữ ký tại đây"
FOUR_EYES = "Người quyết định khác người tiếp nhận"
LATER = "Kiểm tra khi quyết định"
# A byte a third into the file is covered by the signature. The hash in the row is changed with it,
# so that nothing but the signature can tell.
TAMPER = """
    WITH changed AS (
      SELECT id,
             set_byte(
               content, octet_length(content) / 3,
               (get_byte(content, octet_length(content) / 3) + 1) % 256) AS content
        FROM document
       WHERE kind = 'badge'
    )
    UPDATE document
       SET content = changed.content, content_sha256 = sha256(changed.content)
      FROM changed
     WHERE changed.id = document.id
"""
STRIP = "UPDATE document SET content = %s WHERE kind = 'badge'"
SIGNED_STATES = (GOOD, BROKEN, UNTRUSTED, UNCHECKED)


@pytest.fixture
def office(world: World) -> Iterator[DossierWorld]:
    with dossier_world(world) as made:
        yield made


@pytest.fixture
def clerk(office: DossierWorld) -> Iterator[httpx.Client]:
    with office.world.signed_in_as(Role.CLERK) as client:
        yield client


@pytest.fixture
def address(office: DossierWorld, clerk: httpx.Client, tmp_path: Path) -> str:
    """A dossier whose badge was made and signed with the key in ``tmp_path``."""
    taken_in = office.take_in(clerk)
    with office.world.signed_in_as(Role.APPROVER) as approver:
        answer = approver.post(f"{taken_in}/approve", data={"version": "1"})
    assert answer.status_code == 303, answer.text
    office.make_badge_paper(tmp_path)
    return taken_in


def shown(office: DossierWorld, clerk: httpx.Client, address: str, *, ca_file: Path | None) -> str:
    """What the page says of the signature, at an api that trusts an authority."""
    with (
        serving(replace(office.world), documents={"ca_file": ca_file}) as api_url,
        httpx.Client(base_url=api_url, cookies=clerk.cookies) as client,
    ):
        page = client.get(address)
        piece = client.get(f"{address}/papers", headers={"HX-Request": "true"})
    assert (page.status_code, piece.status_code) == (200, 200), page.text
    said = [each for each in SIGNED_STATES if each in page.text]
    assert said == [each for each in SIGNED_STATES if each in piece.text]
    assert len(said) == 1, said
    return said[0]


def test_a_badge_as_it_was_signed_is_shown_as_unchanged(
    office: DossierWorld, clerk: httpx.Client, address: str, tmp_path: Path
) -> None:
    said = shown(office, clerk, address, ca_file=tmp_path / "ca.pem")

    assert said == GOOD


def test_a_badge_with_one_other_byte_is_shown_as_broken(
    office: DossierWorld, clerk: httpx.Client, address: str, tmp_path: Path
) -> None:
    with psycopg.connect(office.world.owner_url) as rows:
        assert rows.execute(TAMPER).rowcount == 1

    said = shown(office, clerk, address, ca_file=tmp_path / "ca.pem")

    assert said == BROKEN


def test_a_badge_whose_file_was_replaced_by_no_pdf_is_shown_as_broken(
    office: DossierWorld, clerk: httpx.Client, address: str, tmp_path: Path
) -> None:
    with psycopg.connect(office.world.owner_url) as rows:
        assert rows.execute(STRIP, [b"not a paper at all"]).rowcount == 1

    said = shown(office, clerk, address, ca_file=tmp_path / "ca.pem")

    assert said == BROKEN


def test_a_badge_signed_under_another_authority_is_shown_as_not_trusted(
    office: DossierWorld, clerk: httpx.Client, address: str, tmp_path: Path
) -> None:
    foreign = SigningKey(
        key_file=tmp_path / "foreign-key.pem",
        certificate_file=tmp_path / "foreign-certificate.pem",
        ca_file=tmp_path / "foreign-ca.pem",
    )
    ensure_development_key(foreign, now=datetime.now(UTC))

    said = shown(office, clerk, address, ca_file=foreign.ca_file)

    assert said == UNTRUSTED


def test_without_an_authority_the_page_says_that_nothing_was_checked(
    office: DossierWorld, clerk: httpx.Client, address: str
) -> None:
    said = shown(office, clerk, address, ca_file=None)

    assert said == UNCHECKED


def test_with_an_authority_that_cannot_be_read_nothing_is_called_good(
    office: DossierWorld, clerk: httpx.Client, address: str, tmp_path: Path
) -> None:
    said = shown(office, clerk, address, ca_file=tmp_path / "nowhere.pem")

    assert said == UNCHECKED


def test_an_unsigned_paper_says_nothing_of_signatures(
    office: DossierWorld, clerk: httpx.Client
) -> None:
    page = clerk.get(office.take_in(clerk)).text

    assert "Giấy tiếp nhận" in page
    assert [each for each in SIGNED_STATES if each in page] == []


def test_four_eyes_are_looked_at_only_for_those_who_may_decide(
    office: DossierWorld, clerk: httpx.Client
) -> None:
    taken_in = office.take_in(clerk)

    for_clerk = clerk.get(taken_in).text
    with office.world.signed_in_as(Role.APPROVER) as approver:
        for_approver = approver.get(taken_in).text

    assert FOUR_EYES in for_clerk
    assert LATER in for_clerk
    assert "Không đạt" not in for_clerk
    assert FOUR_EYES in for_approver
    assert LATER not in for_approver


def test_an_appointment_is_told_to_the_minute(office: DossierWorld, clerk: httpx.Client) -> None:
    taken_in = office.take_in(clerk)
    office.move(due_at=datetime(2030, 1, 8, 3, 4, 5, tzinfo=UTC))

    pages = [
        clerk.get(address).text
        for address in (taken_in, "/console/dossiers", f"/public/dossiers/{code_of(taken_in)}")
    ]

    for page in pages:
        assert "10:04" in page
        assert "10:04:05" not in page
