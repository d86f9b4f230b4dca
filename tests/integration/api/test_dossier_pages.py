# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dossiers' pages, answered by a served api."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from central.identity.permissions import Role
from tests.integration.api.dossiers import (
    CODE,
    FIRM,
    PLATE,
    PLATE_WORDS,
    DossierWorld,
    code_of,
    dossier_world,
)
from tests.integration.api.world import World

LIST = "/console/dossiers"


@pytest.fixture
def office(world: World) -> Iterator[DossierWorld]:
    with dossier_world(world) as made:
        yield made


@pytest.fixture
def clerk(office: DossierWorld) -> Iterator[httpx.Client]:
    with office.world.signed_in_as(Role.CLERK) as client:
        yield client


@pytest.fixture
def approver(office: DossierWorld) -> Iterator[httpx.Client]:
    with office.world.signed_in_as(Role.APPROVER) as client:
        yield client


def act(client: httpx.Client, address: str, action: str, **filled: str) -> httpx.Response:
    """Do something with a dossier, with the version that its page shows."""
    page = client.get(address).text
    found = re.search(r'name="version" value="(\d+)"', page)
    version = found.group(1) if found else "1"
    return client.post(f"{address}/{action}", data={"version": version, **filled})


# Taking in ----------


def test_without_a_vehicle_the_clerk_is_led_to_the_search(clerk: httpx.Client) -> None:
    page = clerk.get(f"{LIST}/new")

    assert page.status_code == 200
    assert 'href="/console/vehicles"' in page.text


def test_the_procedures_in_force_are_offered(clerk: httpx.Client, office: DossierWorld) -> None:
    page = clerk.get(f"{LIST}/new?vehicle={office.truck_id}")

    assert f"{LIST}/new?vehicle={office.truck_id}&amp;procedure=badge" in page.text
    assert "Giấy phép liên vận" in page.text


def test_the_form_shows_vehicle_papers_facts_and_appointment_and_is_audited(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    page = clerk.get(f"{LIST}/new?vehicle={office.truck_id}&procedure=badge")

    assert page.status_code == 200
    for text in (
        PLATE_WORDS,
        FIRM,
        "Giấy đề nghị cấp phù hiệu (Phụ lục V)",
        'value="goods" selected',  # the only kind that fits a truck
        "Ngày hẹn trả nếu tiếp nhận bây giờ",
    ):
        assert text in page.text
    look = office.one(
        "SELECT purpose, subject_id FROM audit_entry WHERE action = 'vehicle_looked_up'"
    )
    assert look == ("dossier", str(office.truck_id))


def test_the_facts_follow_what_is_asked_for(clerk: httpx.Client, office: DossierWorld) -> None:
    asked = {"vehicle": str(office.truck_id), "procedure": "badge", "field_years": "3"}
    piece = {"HX-Request": "true"}

    fitting = clerk.get(
        f"{LIST}/new/findings", params={**asked, "field_badge_kind": "goods"}, headers=piece
    )
    taxi = clerk.get(
        f"{LIST}/new/findings", params={**asked, "field_badge_kind": "taxi"}, headers=piece
    )
    page = clerk.get(f"{LIST}/new/findings", params=asked)

    assert "<html" not in fitting.text
    assert "Xe mang biển số nền vàng" in fitting.text
    assert "test register" in fitting.text
    assert "không cho phép thực hiện" not in fitting.text
    assert "không cho phép thực hiện" in taxi.text
    assert page.status_code == 303


def test_a_dossier_is_taken_in_and_sent_twice_is_kept_once(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    filled = office.filled()

    first = clerk.post(f"{LIST}/new", data=filled)
    second = clerk.post(f"{LIST}/new", data=filled)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert CODE.fullmatch(code_of(first.headers["location"]))
    assert office.one("SELECT count(*) FROM dossier") == (1,)


def test_a_used_form_for_something_else_is_refused_with_the_way_to_the_first(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    key = f"form-{uuid4()}"
    address = office.take_in(clerk, submission_key=key)

    again = clerk.post(f"{LIST}/new", data=office.filled(submission_key=key, field_years="5"))

    assert again.status_code == 409
    assert f'href="{address}"' in again.text
    assert key not in again.text


def test_missing_papers_are_listed_and_the_form_stays_filled(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    filled = office.filled(paper_request_form="", paper_registration_certificate="")

    page = clerk.post(f"{LIST}/new", data=filled)

    assert page.status_code == 422
    assert 'href="#paper_request_form"' in page.text
    assert 'href="#paper_registration_certificate"' in page.text
    assert filled["submission_key"] in page.text
    assert filled["submitted_by"] in page.text
    assert office.one("SELECT count(*) FROM dossier") == (0,)


def test_everything_wrong_is_told_at_once_in_words(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    filled = office.filled(
        field_badge_kind="tank",
        field_years="99",
        submitted_by="",
        contact_phone="12",
        contact_email="nobody",
        channel="pigeon",
        applicant_number="0000000000",
        paper_request_form="",
    )

    page = clerk.post(f"{LIST}/new?lang=en", data=filled)

    assert page.status_code == 422
    for text in (
        "Choose one.",
        "Write a whole number from 1 to 7.",
        "Write who hands the dossier in",
        "A phone number has 8 to 16 digits.",
        "An e-mail address looks like",
        "Choose how the dossier came in.",
        "The registry knows nobody with this number.",
        'href="#paper_request_form"',
    ):
        assert text in page.text


def test_who_is_not_the_owner_needs_the_contract(clerk: httpx.Client, office: DossierWorld) -> None:
    with_other = office.filled(applicant_number="4600000002")
    _add_party(office, "4600000002")

    page = clerk.post(f"{LIST}/new", data=with_other)
    taken = clerk.post(f"{LIST}/new", data={**with_other, "paper_use_contract": "copy"})

    assert page.status_code == 422
    assert 'href="#paper_use_contract"' in page.text
    assert taken.status_code == 303


def test_a_guard_that_refuses_is_told_in_words(clerk: httpx.Client, office: DossierWorld) -> None:
    page = clerk.post(f"{LIST}/new", data=office.filled(field_badge_kind="taxi"))

    assert page.status_code == 409
    assert "Loại phù hiệu đề nghị phù hợp với xe: không đạt" in page.text
    assert office.one("SELECT count(*) FROM dossier") == (0,)


def test_what_can_not_be_printed_or_is_no_form_of_ours_is_refused(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    wrong = [
        office.filled(paper_request_form="papyrus"),
        office.filled(paper_request_form="copy"),  # the procedure wants the original
        office.filled(submitted_by="Công ty \x07"),
    ]

    answers = [clerk.post(f"{LIST}/new", data=filled).status_code for filled in wrong]

    assert answers == [422, 422, 422]
    assert clerk.post(f"{LIST}/new", data=office.filled(vehicle="nonsense")).status_code == 404
    assert clerk.post(f"{LIST}/new", data=office.filled(vehicle=str(uuid4()))).status_code == 404
    assert clerk.post(f"{LIST}/new", data=office.filled(procedure="none")).status_code == 404


# The list ----------


def test_the_list_puts_the_overdue_first_and_counts(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    office.take_in(clerk)
    office.move(due_at=datetime.now(UTC) - timedelta(days=3))
    late = office.one("SELECT code FROM dossier")[0]
    other = code_of(office.take_in(clerk))

    page = clerk.get(LIST).text

    assert page.index(late) < page.index(other)
    assert page.count('class="chip chip-bad"') == 1
    assert "Quá hạn" in page
    assert FIRM in page
    assert PLATE_WORDS in page


def test_the_list_is_filtered_and_wrong_parts_count_as_absent(
    clerk: httpx.Client, approver: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)

    assert address in clerk.get(f"{LIST}?state=received&procedure=badge&mine=yes").text
    assert address not in approver.get(f"{LIST}?mine=yes").text
    assert "Không có hồ sơ phù hợp" in clerk.get(f"{LIST}?state=supplement_requested").text
    assert address not in clerk.get(f"{LIST}?procedure=laos-permit").text
    assert address not in clerk.get(f"{LIST}?view=ended").text
    assert address in clerk.get(f"{LIST}?state=nonsense&procedure=../x&at=zz&view=odd").text


def test_a_long_list_is_read_page_by_page(clerk: httpx.Client, office: DossierWorld) -> None:
    address = office.take_in(clerk)
    _copy(office, code_of(address), times=60)

    first = clerk.get(LIST).text
    url = first.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = clerk.get(url).text

    assert first.count("row-link") == 50
    assert second.count("row-link") == 11
    assert 'rel="prev"' in second
    shown = re.findall(r'row-link mono" href="([^"]+)"', first + second)
    assert len(set(shown)) == 61


def test_a_code_is_found_also_typed_with_spaces_and_small(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)
    code = code_of(address)

    whole = clerk.post(f"{LIST}/find", data={"code": f" {code.lower()[:6]} {code.lower()[6:]}"})
    part = clerk.post(f"{LIST}/find", data={"code": code[-4:]})
    nonsense = clerk.post(f"{LIST}/find", data={"code": "<script>"})

    assert whole.headers["location"] == address
    assert part.headers["location"] == f"{LIST}?code={code[-4:]}"
    assert address in clerk.get(part.headers["location"]).text
    assert nonsense.headers["location"] == LIST


def test_an_empty_list_says_what_to_do(clerk: httpx.Client) -> None:
    assert "Chưa có hồ sơ" in clerk.get(LIST).text


# One dossier ----------


def test_a_dossier_shows_everything_and_the_look_is_audited(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)

    page = clerk.get(address)

    assert page.status_code == 200
    for text in (
        code_of(address),
        "Đang giải quyết",
        "giờ làm việc",
        FIRM,
        f"/console/vehicles/{office.truck_id}",
        "XE TẢI",
        "Bản chính",
        "Xe mang biển số nền vàng",
        "test register",
        "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
        "Yêu cầu bổ sung",
    ):
        assert text in page.text, text
    assert "Duyệt cấp" not in page.text  # a clerk does not decide
    assert office.one(
        "SELECT subject_id FROM audit_entry WHERE action = 'dossier_looked_up' LIMIT 1"
    ) == (code_of(address),)


def test_the_story_supplement_approval_badge_and_handing_over(
    clerk: httpx.Client, approver: httpx.Client, office: DossierWorld, tmp_path: Path
) -> None:
    address = office.take_in(clerk)

    asked = act(
        clerk,
        address,
        "request_supplement",
        **{"reason": "Giấy đề nghị thiếu chữ ký", "paper.request_form": "yes"},
    )
    stopped = clerk.get(address).text
    without = act(clerk, address, "receive_supplement")
    received = act(clerk, address, "receive_supplement", paper_request_form="original")
    approved = act(approver, address, "approve")
    making = clerk.get(address).text
    office.make_badge_paper(tmp_path)
    made = clerk.get(f"{address}/papers", headers={"HX-Request": "true"}).text
    handed_over = act(clerk, address, "hand_over")

    assert asked.status_code == 303
    assert "Thời hạn đang tạm dừng" in stopped
    assert "Giấy đề nghị thiếu chữ ký" in stopped
    assert "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ" in stopped
    assert without.status_code == 422
    assert "Thiếu giấy tờ" in without.text
    assert (received.status_code, approved.status_code) == (303, 303)
    assert "đang được lập và ký số" in making
    assert f'hx-get="{address}/papers"' in making
    assert "Ký số: " in made
    assert "hx-get" not in made
    assert handed_over.status_code == 303
    assert "Đã trả kết quả" in clerk.get(address).text
    assert address in clerk.get(f"{LIST}?view=ended").text
    assert office.one("SELECT dossier_code FROM badge") == (code_of(address),)


def test_a_rejection_and_a_withdrawal_need_a_reason(
    clerk: httpx.Client, approver: httpx.Client, office: DossierWorld
) -> None:
    first, second = office.take_in(clerk), office.take_in(clerk)

    silent = [act(approver, first, "reject"), act(clerk, second, "withdraw", reason="  ")]
    rejected = act(approver, first, "reject", reason="Xe hết niên hạn")
    withdrawn = act(clerk, second, "withdraw", reason="Theo đề nghị")

    assert [answer.status_code for answer in silent] == [422, 422]
    assert "Nhập lý do" in silent[0].text
    assert (rejected.status_code, withdrawn.status_code) == (303, 303)
    page = clerk.get(first).text
    assert "Phiếu từ chối" in page
    assert "Xe hết niên hạn" in page
    assert "Đã rút hồ sơ" in clerk.get(second).text


def test_who_is_not_first_is_told_and_nothing_is_lost(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)
    act(clerk, address, "request_supplement", reason="Thiếu chữ ký")

    late = clerk.post(
        f"{address}/withdraw", data={"version": "1", "reason": "Người nộp không cần nữa"}
    )

    assert late.status_code == 409
    assert "Người khác vừa xử lý hồ sơ này" in late.text
    assert "Người nộp không cần nữa" in late.text
    assert office.one("SELECT state FROM dossier") == ("supplement_requested",)


def test_who_took_it_in_may_not_decide_it(approver: httpx.Client, office: DossierWorld) -> None:
    address = office.take_in(approver)

    refused = act(approver, address, "approve")

    assert refused.status_code == 409
    assert "Người quyết định khác người tiếp nhận: không đạt" in refused.text
    assert office.one("SELECT state FROM dossier") == ("received",)


def test_an_overdue_dossier_says_since_when(clerk: httpx.Client, office: DossierWorld) -> None:
    address = office.take_in(clerk)
    office.move(due_at=datetime.now(UTC) - timedelta(days=8))

    page = clerk.get(address).text

    assert re.search(r"Quá hạn \d+ ngày \d+ giờ làm việc", page)


def test_roles_without_the_right_are_refused_and_audited(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)

    with office.world.signed_in_as(Role.OPERATOR) as operator:
        seen = [
            operator.get(path).status_code
            for path in (
                LIST,
                address,
                f"{address}/papers/receipt.pdf",
                f"{LIST}/new?vehicle={office.truck_id}&procedure=badge",
            )
        ]
    decided = [
        act(clerk, address, action, reason="x").status_code for action in ("approve", "reject")
    ]

    assert seen == [403] * 4
    assert decided == [403, 403]
    assert office.one(
        "SELECT count(*) FROM audit_entry WHERE action = 'act_refused' AND outcome = 'refused'"
    ) == (6,)


def test_a_paper_is_a_pdf_inline_kept_nowhere_and_audited(
    clerk: httpx.Client, office: DossierWorld
) -> None:
    address = office.take_in(clerk)

    paper = clerk.get(f"{address}/papers/receipt.pdf")

    assert paper.status_code == 200
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["content-disposition"].startswith("inline")
    assert "no-store" in paper.headers["cache-control"]
    assert office.one(
        "SELECT subject_id, detail ->> 'document' FROM audit_entry WHERE action = 'document_opened'"
    ) == (code_of(address), "receipt")
    assert clerk.get(f"{address}/papers/badge.pdf").status_code == 404
    assert clerk.get(f"{address}/papers/nonsense.pdf").status_code == 422


def test_unknown_codes_are_not_found(clerk: httpx.Client) -> None:
    for path in ("H15-261122-9999", "nonsense", "H15-261122-9999/papers/receipt.pdf"):
        page = clerk.get(f"{LIST}/{path}")

        assert page.status_code == 404, path


def test_the_vehicles_page_leads_to_its_dossiers(clerk: httpx.Client, office: DossierWorld) -> None:
    address = office.take_in(clerk)
    vehicle = f"/console/vehicles/{office.truck_id}"
    clerk.post(f"{vehicle}/look", data={"purpose": "dossier"})

    page = clerk.get(vehicle)

    assert f'href="{address}"' in page.text


def test_no_address_holds_a_plate(clerk: httpx.Client, office: DossierWorld) -> None:
    address = office.take_in(clerk)

    pages = [clerk.get(LIST).text, clerk.get(address).text]

    assert not [
        url for page in pages for url in re.findall(r'href="([^"]*)"', page) if PLATE in url
    ]


def _add_party(office: DossierWorld, number: str) -> None:
    office.one(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at,"
        " updated_at) VALUES (gen_random_uuid(), 'organisation', 'Công ty B', "
        " %s, 'test register', '2026-01-05', now(), now()) RETURNING id",
        number,
    )


def _copy(office: DossierWorld, code: str, *, times: int) -> None:
    """More dossiers like one, each with the next code and the same appointment."""
    office.one(
        "WITH copied AS (INSERT INTO dossier (id, code, procedure_id, procedure_version,"
        " submission_key, channel, state, applicant_id, taken_in_by, submitted_by, vehicle_id,"
        " request, received_at, due_at, calendar_version) SELECT gen_random_uuid(),"
        " left(code, -4) || to_char(n + 1000, 'FM0000'), procedure_id, procedure_version,"
        " 'copy-of-it-' || n, channel, state, applicant_id, taken_in_by, submitted_by, vehicle_id,"
        " request, received_at, due_at, calendar_version FROM dossier,"
        " generate_series(1, %s) AS n WHERE code = %s RETURNING 1)"
        " SELECT count(*) FROM copied",
        times,
        code,
    )
