# SPDX-License-Identifier: AGPL-3.0-or-later
"""The citizens' pages, asked about a dossier that was really taken in."""

import re
from collections.abc import Iterator
from html import escape

import httpx
import psycopg
import pytest

from api.pages.assets import STATIC_PATH
from api.public.codes import CODE_LENGTH_MAX
from api.public.parts import LOOK_UPS
from central.identity.permissions import Role
from central.procedures.reading import PUBLIC_FOR
from tests.integration.api.dossiers import (
    CLERK_NAME,
    FIRM,
    PHONE,
    PLATE,
    PLATE_WORDS,
    DossierWorld,
    code_of,
    dossier_world,
)
from tests.integration.api.world import DISPLAY_NAME, World, serving

LOOKUP = "/public/dossiers"
PAGE_BYTES_MAX = 60 * 1024


@pytest.fixture(scope="module")
def office(lasting_world: World) -> Iterator[DossierWorld]:
    with dossier_world(lasting_world) as made:
        yield made


@pytest.fixture(scope="module")
def clerk(office: DossierWorld) -> Iterator[httpx.Client]:
    with office.world.signed_in_as(Role.CLERK) as client:
        yield client


@pytest.fixture(scope="module")
def address(office: DossierWorld, clerk: httpx.Client) -> str:
    """A dossier of which the request form is asked for once more."""
    made = office.take_in(clerk)
    clerk.post(
        f"{made}/request_supplement",
        data={
            "version": "1",
            "reason": f"{CLERK_NAME} chưa ký",
            "paper.request_form": "yes",
        },
    )
    return made


@pytest.fixture
def citizen(lasting_world: World) -> Iterator[httpx.Client]:
    """Somebody without a session, before whom nobody asked."""
    with psycopg.connect(lasting_world.database_url) as connection:
        connection.execute("DELETE FROM address_rate")
    with serving(lasting_world) as url, httpx.Client(base_url=url) as client:
        yield client


def test_the_house_leads_to_the_question(citizen: httpx.Client) -> None:
    for path in ("/public", "/public/"):
        assert citizen.get(path).headers["location"] == LOOKUP
    assert "Hồ sơ của tôi đến đâu?" in citizen.get(LOOKUP).text


@pytest.mark.parametrize(
    "written",
    [
        "{code}",
        "  {small} ",
        "\t{spaced}",
        "{bare}",
        "{dashed}",
        "https://dichvu.example/public/dossiers/{code}?lang=en",
        "http://127.0.0.1/public/dossiers/{small}/",
    ],
)
def test_a_code_leads_to_its_dossier_however_it_is_typed(
    citizen: httpx.Client, address: str, written: str
) -> None:
    code = code_of(address)
    typed = written.format(
        code=code,
        small=code.lower(),
        spaced=f"{code[:6]}  {code[6:]}".lower(),
        bare=code.replace("-", ""),
        dashed=code.replace("-", " \N{EN DASH} "),
    )

    answer = citizen.post(LOOKUP, data={"code": typed})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{LOOKUP}/{code}"


def test_the_page_says_how_it_stands_in_both_languages(citizen: httpx.Client, address: str) -> None:
    url = f"{LOOKUP}/{code_of(address)}"

    vietnamese = citizen.get(url)
    english = citizen.get(f"{url}?lang=en")

    assert vietnamese.status_code == 200
    for text in (
        code_of(address),
        "Hồ sơ cần được bổ sung",
        "Giấy đề nghị cấp phù hiệu (Phụ lục V)",
        "Giấy tờ cần bổ sung",
    ):
        assert text in vietnamese.text
    assert '<html lang="en">' in english.text
    assert "Papers have to be added" in english.text
    assert "Request form (Annex V)" in english.text


def test_the_page_holds_nothing_personal(
    citizen: httpx.Client, office: DossierWorld, address: str
) -> None:
    page = citizen.get(f"{LOOKUP}/{code_of(address)}").text

    held = [
        text
        for text in (
            FIRM,
            CLERK_NAME,
            PHONE,
            PHONE.replace(" ", ""),
            PLATE,
            PLATE_WORDS,
            DISPLAY_NAME,
            "clerk",
            str(office.truck_id),
            "4600000001",
        )
        if text in page
    ]
    assert held == []


def test_a_decided_dossier_says_so(
    citizen: httpx.Client, office: DossierWorld, clerk: httpx.Client
) -> None:
    made = office.take_in(clerk)
    with office.world.signed_in_as(Role.APPROVER) as approver:
        approver.post(f"{made}/reject", data={"version": "1", "reason": f"{FIRM} thiếu giấy phép"})

    page = citizen.get(f"{LOOKUP}/{code_of(made)}").text

    assert "Hồ sơ bị từ chối" in page
    assert "Kết thúc lúc" in page
    assert FIRM not in page


def test_an_unknown_code_is_not_found_and_can_be_corrected(citizen: httpx.Client) -> None:
    for code in ("H15-261122-9999", "nonsense", "H15-261122"):
        page = citizen.get(f"{LOOKUP}/{code}")

        assert page.status_code == 404, code
        assert "Không có hồ sơ với mã này" in page.text
        assert f'value="{code}"' in page.text
        assert 'action="/public/dossiers"' in page.text


def test_an_address_with_a_badly_copied_code_leads_to_the_right_one(
    citizen: httpx.Client, address: str
) -> None:
    code = code_of(address)

    for copied in (code.lower(), code.replace("-", ""), f"{code} "):
        answer = citizen.get(f"{LOOKUP}/{copied}")

        assert (answer.status_code, answer.headers["location"]) == (303, f"{LOOKUP}/{code}")


def test_a_dossier_that_ended_long_ago_is_no_longer_shown_to_anybody(
    citizen: httpx.Client, office: DossierWorld, clerk: httpx.Client
) -> None:
    made = office.take_in(clerk)
    with office.world.signed_in_as(Role.APPROVER) as approver:
        approver.post(f"{made}/reject", data={"version": "1", "reason": "Thiếu giấy phép"})
    url = f"{LOOKUP}/{code_of(made)}"

    before = citizen.get(url)
    with psycopg.connect(office.world.owner_url) as rows:
        rows.execute(
            "UPDATE dossier SET received_at = received_at - %(ago)s, ended_at = ended_at - %(ago)s,"
            " due_at = due_at - %(ago)s WHERE code = %(code)s",
            {"ago": PUBLIC_FOR, "code": code_of(made)},
        )
    vietnamese = citizen.get(url)
    english = citizen.get(f"{url}?lang=en")

    assert before.status_code == 200
    assert (vietnamese.status_code, english.status_code) == (410, 410)
    assert "Hồ sơ này không còn được hiển thị ở đây" in vietnamese.text
    assert "This dossier is no longer shown here" in english.text
    assert "Hồ sơ bị từ chối" not in vietnamese.text


@pytest.mark.parametrize(
    "code", ["", "H15", "H15-26112-0001", "<script>alert(1)</script>", "1" * 70, "H15-" * 2000]
)
def test_what_is_no_code_comes_back_in_the_form(citizen: httpx.Client, code: str) -> None:
    page = citizen.post(LOOKUP, data={"code": code})

    assert page.status_code == 422
    assert f'value="{escape(code[:CODE_LENGTH_MAX])}"' in page.text
    assert "Đây không phải mã hồ sơ" in page.text
    assert "<script>" not in page.text


def test_nobody_may_try_out_codes_not_even_at_another_process(
    citizen: httpx.Client, lasting_world: World, address: str
) -> None:
    url = f"{LOOKUP}/{code_of(address)}"

    unknown = citizen.get(f"{LOOKUP}/H15-261122-9999").status_code
    answers = [citizen.get(url).status_code for _ in range(LOOK_UPS.requests_max - 1)]
    with serving(lasting_world) as other:
        last = httpx.get(f"{other}{url}")

    assert unknown == 404  # a wrong code is a try, too
    assert set(answers) == {200}
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) >= 1
    assert "Tra cứu quá nhiều lần" in last.text
    assert citizen.get(LOOKUP).status_code == 200


def test_the_page_is_light_and_runs_no_script(citizen: httpx.Client, address: str) -> None:
    page = citizen.get(f"{LOOKUP}/{code_of(address)}")

    links = re.findall(rf'(?:href|src)="({STATIC_PATH}/[^"]+)"', page.text)
    weight = len(page.content) + sum(len(citizen.get(link).content) for link in links)

    assert links
    assert "<script" not in page.text
    assert weight < PAGE_BYTES_MAX


def test_the_page_is_not_kept_and_not_found_by_search_engines(
    citizen: httpx.Client, address: str
) -> None:
    page = citizen.get(f"{LOOKUP}/{code_of(address)}")

    assert 'name="robots" content="noindex"' in page.text
    assert "no-store" in page.headers["cache-control"]
    assert "set-cookie" not in page.headers
