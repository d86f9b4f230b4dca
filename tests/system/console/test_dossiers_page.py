# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers in a real browser: taken in from the vehicle's page, supplemented, approved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from central.identity.permissions import Role
from tests.integration.api.dossiers import (
    CLERK_NAME,
    FIRM,
    PLATE,
    DossierWorld,
    code_of,
    dossier_world,
)
from tests.integration.api.world import World
from tests.system.console.test_accessibility import _violations

pytestmark = pytest.mark.system

WAIT_MS = 20_000
"""Folder for pictures of the pages; none are made without it."""


@pytest.fixture
def office(world: World) -> Iterator[DossierWorld]:
    with dossier_world(world) as made:
        yield made


@contextmanager
def window(browser: Browser, office: DossierWorld, role: Role, **options: object) -> Iterator[Page]:
    """A page with the session of somebody in a role."""
    with office.world.signed_in_as(role) as client:
        cookies = [
            {"name": name, "value": value, "url": office.world.api_url}
            for name, value in client.cookies.items()
        ]
        context: BrowserContext = browser.new_context(
            base_url=office.world.api_url,
            viewport={"width": 1366, "height": 768},
            locale="vi-VN",
            **options,  # type: ignore[arg-type]  # a test's keywords
        )
        context.set_default_timeout(WAIT_MS)
        context.add_cookies(cookies)  # type: ignore[arg-type]  # playwright's own dicts
        yield context.new_page()
        context.close()


def open_form(page: Page, office: DossierWorld) -> None:
    """From the vehicle's page to the form of a badge dossier."""
    page.goto(f"/console/vehicles/{office.truck_id}")
    page.select_option("#purpose", "dossier")
    page.get_by_role("button", name="Xem phương tiện").click()
    page.get_by_role("link", name="Tiếp nhận hồ sơ").click()
    page.get_by_role("link", name="Cấp, cấp lại phù hiệu").click()


def fill(page: Page) -> None:
    """Fill the form in."""
    page.fill("#field_years", "3")
    page.select_option("#paper_request_form", "original")
    page.select_option("#paper_registration_certificate", "copy")
    page.fill("#submitted_by", CLERK_NAME)


def test_the_whole_way_of_a_badge_dossier(
    browser: Browser, office: DossierWorld, tmp_path: Path
) -> None:
    with window(browser, office, Role.CLERK) as clerk:
        open_form(clerk, office)
        expect(clerk.locator("#field_badge_kind")).to_have_value("goods")
        fill(clerk)
        expect(clerk.locator("#findings")).to_contain_text("Xe mang biển số nền vàng")
        clerk.get_by_role("button", name="Tiếp nhận và in giấy hẹn").dblclick()
        expect(clerk.locator("h1")).to_contain_text("H15-")
        address = clerk.url
        receipt = clerk.get_by_role("link", name="Giấy tiếp nhận hồ sơ và hẹn trả kết quả")
        pdf = clerk.request.get(receipt.get_attribute("href") or "")
        assert pdf.body().startswith(b"%PDF-")
        assert office.one("SELECT count(*) FROM dossier") == (1,)

        clerk.locator("summary", has_text="Yêu cầu bổ sung").click()
        clerk.get_by_label("Giấy đề nghị cấp phù hiệu").check()
        clerk.get_by_label("Lý do (người nộp hồ sơ sẽ đọc)").first.fill("Giấy đề nghị thiếu chữ ký")
        clerk.get_by_role("button", name="Yêu cầu bổ sung").click()
        expect(clerk.locator("main")).to_contain_text("Thời hạn đang tạm dừng")
        clerk.locator("summary", has_text="Nhận bổ sung").click()
        clerk.get_by_label("Giấy đề nghị cấp phù hiệu").select_option("original")
        clerk.get_by_role("button", name="Nhận bổ sung").click()
        expect(clerk.locator("main")).not_to_contain_text("Thời hạn đang tạm dừng")
    with window(browser, office, Role.APPROVER) as approver:
        approver.goto(address)
        approver.locator("summary", has_text="Duyệt cấp").click()
        approver.get_by_role("button", name="Duyệt cấp").click()
        expect(approver.locator("#documents")).to_contain_text("đang được lập và ký số")

        office.make_badge_paper(tmp_path)

        expect(approver.locator("#documents")).to_contain_text("Ký số:")
        badge = approver.get_by_role("link", name="Phù hiệu", exact=True)
        answer = approver.request.get(badge.get_attribute("href") or "")
        assert answer.body().startswith(b"%PDF-")
        approver.goto("/console/dossiers?view=ended")
        expect(approver.locator("tbody tr")).to_have_count(1)


def test_a_dossier_is_taken_in_with_the_keyboard_alone(
    browser: Browser, office: DossierWorld
) -> None:
    with window(browser, office, Role.CLERK) as page:
        page.goto(f"/console/dossiers/new?vehicle={office.truck_id}&procedure=badge")
        page.wait_for_load_state("load")
        seen: list[str] = []
        keys = {
            "field_years": "3",
            "paper_request_form": "ArrowDown",  # the first form in which the paper is accepted
            "paper_registration_certificate": "ArrowDown",
            "submitted_by": "A",
        }
        for _ in range(60):
            page.keyboard.press("Tab")
            name = page.evaluate("document.activeElement.id || document.activeElement.tagName")
            seen.append(name)
            if name in keys:
                page.keyboard.press(keys[name])
            if page.evaluate("document.activeElement.closest('.dossier-submit') !== null"):
                page.keyboard.press("Enter")
                break

        expect(page.locator("h1")).to_contain_text("H15-")
        assert set(keys) <= set(seen)


def test_missing_papers_lead_back_to_the_form_with_everything_in_it(
    browser: Browser, office: DossierWorld
) -> None:
    with window(browser, office, Role.CLERK) as page:
        page.goto(f"/console/dossiers/new?vehicle={office.truck_id}&procedure=badge")
        fill(page)
        page.select_option("#paper_request_form", "")
        page.get_by_role("button", name="Tiếp nhận và in giấy hẹn").click()

        expect(page.get_by_role("alert")).to_contain_text("Thiếu giấy tờ")
        page.get_by_role("alert").get_by_role("link").click()
        expect(page.locator("#submitted_by")).to_have_value(CLERK_NAME)
        page.select_option("#paper_request_form", "original")
        page.get_by_role("button", name="Tiếp nhận và in giấy hẹn").click()
        expect(page.locator("h1")).to_contain_text("H15-")
        assert office.one("SELECT count(*) FROM dossier") == (1,)


def test_it_works_without_scripts(browser: Browser, office: DossierWorld) -> None:
    with window(browser, office, Role.CLERK, java_script_enabled=False) as page:
        open_form(page, office)
        fill(page)
        page.get_by_role("button", name="Tiếp nhận và in giấy hẹn").click()

        expect(page.locator("h1")).to_contain_text("H15-")


def test_axe_finds_nothing_on_the_pages_of_dossiers(browser: Browser, office: DossierWorld) -> None:
    found: dict[str, list[str]] = {}
    # The policy of our pages forbids foreign scripts, and axe is one: it is let in for the test.
    with window(browser, office, Role.APPROVER, bypass_csp=True) as page:
        page.goto("/console/dossiers")
        found["empty list"] = _violations(page)
        page.goto("/console/dossiers/new")
        found["no vehicle"] = _violations(page)
        page.goto(f"/console/dossiers/new?vehicle={office.truck_id}")
        found["procedures"] = _violations(page)
        page.goto(f"/console/dossiers/new?vehicle={office.truck_id}&procedure=badge")
        found["form"] = _violations(page)
        fill(page)
        page.fill("#contact_phone", "12")
        page.select_option("#paper_request_form", "")
        page.locator(".dossier-submit button").click()
        page.wait_for_selector("[role=alert]")
        found["form with problems"] = _violations(page)
    with office.world.signed_in_as(Role.CLERK) as clerk:
        address = office.take_in(clerk)
    with window(browser, office, Role.APPROVER, bypass_csp=True) as page:
        page.goto(address)
        for summary in page.locator("details.dossier-act > summary").all():
            summary.click()
        found["dossier"] = _violations(page)
        page.locator("button", has_text="Duyệt cấp").or_(
            page.locator("button", has_text="Approve")
        ).click()
        page.wait_for_selector("#documents[hx-get]")
        for summary in page.locator("details.fold > summary").all():
            summary.click()
        found["decided"] = _violations(page)
        page.goto("/console/dossiers/H15-261122-9999")
        found["unknown"] = _violations(page)

    assert {name: each for name, each in found.items() if each} == {}


def test_axe_finds_nothing_on_the_pages_of_citizens(browser: Browser, office: DossierWorld) -> None:
    with office.world.signed_in_as(Role.CLERK) as clerk:
        address = office.take_in(clerk)
        clerk.post(
            f"{address}/request_supplement",
            data={"version": "1", "reason": "Thiếu chữ ký", "paper.request_form": "yes"},
        )
    context = browser.new_context(
        base_url=office.world.api_url, bypass_csp=True, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto("/public/dossiers")
    found = {"question": _violations(page)}
    page.fill("#code", "nonsense")
    page.press("#code", "Enter")
    page.wait_for_selector("[role=alert]")
    found["no code"] = _violations(page)
    page.fill("#code", f" {code_of(address).lower()}")
    page.press("#code", "Enter")
    expect(page.locator("h1")).to_have_text(code_of(address))
    found["state"] = _violations(page)
    page.goto("/public/dossiers/H15-261122-9999")
    found["unknown"] = _violations(page)
    text = page.content()
    context.close()

    assert {name: each for name, each in found.items() if each} == {}
    assert PLATE not in text
    assert FIRM not in text


def test_the_list_shows_what_is_overdue(browser: Browser, office: DossierWorld) -> None:
    with office.world.signed_in_as(Role.CLERK) as clerk:
        late = code_of(office.take_in(clerk))
        with psycopg.connect(office.world.owner_url) as rows:
            rows.execute("UPDATE dossier SET due_at = now() - interval '8 days'")
        paused = office.take_in(clerk)
        clerk.post(f"{paused}/request_supplement", data={"version": "1", "reason": "Thiếu chữ ký"})
        office.take_in(clerk)
    with window(browser, office, Role.CLERK) as page:
        page.goto("/console/dossiers")

        expect(page.locator("tbody tr")).to_have_count(3)
        expect(page.locator("tbody tr").first).to_contain_text(late)
        expect(page.locator("tbody tr").first).to_contain_text("Quá hạn")
        expect(page.locator("tbody tr").last).to_contain_text(code_of(paused))
        page.goto(f"/console/dossiers/{late}")
        expect(page.locator("main")).to_contain_text("Quá hạn")
