# SPDX-License-Identifier: AGPL-3.0-or-later
"""One truck's story at real pages: nothing between the camera's picture and Chromium is replaced.

Rendered lane and tag reader → edge program → mosquitto → ingest → PostgreSQL → worker → api →
Chromium; the same setting and lane as in ``luuthong demo``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from central.documents.verification import SignatureReport, verify_pdf_now
from central.domain.local_time import local_date
from deploy.demo.story import asking, tolls, watching
from deploy.demo.story.cast import Part
from deploy.demo.story.day import run_command
from deploy.demo.story.files import PROVIDER, STATION
from deploy.demo.story.lane import deliver_again, repeats
from deploy.demo.story.setting import in_database
from deploy.demo.story.watching import Passed
from tests.integration.edge.centre import wait_until
from tests.system.story.conftest import SignedIn, Story

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

PLAY_LIMIT_MS: Final = 120_000
PAPER_LIMIT_MS: Final = 60_000
PICTURE_WIDTH_MIN: Final = 100
ROWS: Final = "#alert-rows tr"
NO_BADGE: Final = "Biển vàng không có phù hiệu"
LISTED: Final = "Trong danh sách theo dõi"
CODE: Final = re.compile(r"/console/dossiers/([A-Z][0-9.]+-[0-9]{6}-[0-9]{4})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The first passages, and where the truck's alert is shown."""

    passed: Passed
    alert_url: str


def test_one_trucks_story_from_the_first_alert_to_the_closed_day(
    story: Story, signed_in: SignedIn, window: Callable[[], BrowserContext]
) -> None:
    operator, toll, clerk = signed_in("operator1"), signed_in("toll1"), signed_in("clerk1")

    raised = _the_truck_and_a_listed_car_raise_alerts(story, operator)
    forgotten = _everybody_is_told_apart_at_the_toll(story, toll, raised.passed)
    code = _the_clerk_takes_the_dossier_in(story, clerk)
    _a_citizen_looks_it_up(story, window().new_page(), code)
    _a_supplement_stops_the_clock(clerk)
    _another_decides_and_the_badge_is_signed(story, signed_in("approver1"), code)
    _the_truck_passes_again_without_alert(story, operator, raised.alert_url, code)
    _the_day_is_closed(story, toll, forgotten)
    _programs_are_answered(story, operator)


def _the_truck_and_a_listed_car_raise_alerts(story: Story, page: Page) -> Raised:
    """The open list shows both without a reload; the first is opened."""
    plate = story.clips.cast.truck.plate
    page.goto("/console/alerts")
    expect(page.locator("[data-alerts-url]")).to_have_attribute("data-state", "open")
    page.evaluate("() => { window.isSamePage = true }")
    rows = page.locator(ROWS)
    playing = story.aside.submit(story.play, story.clips.lane)

    truck_row = rows.filter(has_text=NO_BADGE)
    expect(truck_row).to_have_count(1, timeout=PLAY_LIMIT_MS)
    shown_at = datetime.now(UTC)
    expect(rows.filter(has_text=LISTED)).to_have_count(1, timeout=PLAY_LIMIT_MS)
    played = playing.result()
    before = story.beside(lambda: in_database(story.database_url, repeats))
    story.beside(lambda: deliver_again(story.stack, story.device, played.message_about(plate)))
    wait_until(lambda: story.beside(lambda: in_database(story.database_url, repeats)) > before)
    passed = _passed(story, since=played.began_at, count=len(story.clips.lane.members))
    expect(rows).to_have_count(2)
    assert page.evaluate("() => window.isSamePage") is True
    truck = passed.passage_of(plate)
    assert truck is not None
    seconds = (shown_at - truck.stored_at).total_seconds()
    print(f"the alert was seen {seconds:.2f} s after its passage was stored")  # noqa: T201

    truck_row.locator("a.row-link").click()
    expect(page.locator("h1")).to_have_text(NO_BADGE)
    _expect_picture(page.locator(".picture img").first)
    main = page.locator("main")
    expect(main).to_contain_text("NĐ 158/2024/NĐ-CP Điều 23")
    expect(main).to_contain_text("Sổ đăng ký trình diễn")
    expect(main).to_contain_text("theo số liệu ngày")
    return Raised(passed=passed, alert_url=page.url)


def _everybody_is_told_apart_at_the_toll(story: Story, page: Page, passed: Passed) -> UUID:
    """One crossing each: charged, refused, or before a person. Returns the clean car's."""
    cast, user = story.clips.cast, story.prepared.staff.users["toll1"]
    tolled = story.beside(
        lambda: tolls.wait_until_settled(
            story.database_url, passed, cast, members=cast.in_lane(), user=user
        )
    )
    for part, (state, reason, group) in tolls.WANTED.items():
        (crossing,) = tolled.of(passed, cast.members[part])
        assert (crossing.state, crossing.reason, crossing.vehicle_group) == (state, reason, group)
    assert tolled.balances_dong[cast.truck.account] == cast.truck.balance_dong - 75_000

    page.goto("/console/tolls")
    crossings = page.locator(".results tbody tr")
    expect(crossings).to_have_count(len(cast.in_lane()))
    truck_row = crossings.filter(has_text="75.000")
    expect(truck_row).to_have_count(1)
    truck_row.locator("a.row-link").click()
    expect(page.locator("main")).to_contain_text("75.000")
    _expect_picture(page.locator(".picture img").first)
    page.goto("/console/tolls/review")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    (clean,) = tolled.of(passed, cast.members[Part.CLEAN])
    return clean.id


def _the_clerk_takes_the_dossier_in(story: Story, page: Page) -> str:
    """Vehicle with purpose, everything in one place, a missing paper, and the form sent twice."""
    truck = story.clips.cast.truck
    page.goto("/console/vehicles")
    page.fill("#text", truck.plate)
    page.select_option("#purpose", "dossier")
    page.press("#text", "Enter")
    main = page.locator("main")
    for sign in (truck.owner.name, f"LV-MAU-{truck.plate}", NO_BADGE, "75.000"):
        expect(main).to_contain_text(sign)
    page.get_by_role("link", name="Tiếp nhận hồ sơ").first.click()
    page.locator(".dossier-procedures a[href*='procedure=badge']").click()
    page.select_option("#field_badge_kind", "goods")
    page.fill("#field_years", "3")
    page.select_option("#paper_request_form", "original")
    page.fill("#submitted_by", "Người nộp mẫu")

    page.get_by_role("button", name="Tiếp nhận và in giấy hẹn").click()
    expect(page.locator("#paper_registration_certificate")).to_have_attribute(
        "aria-invalid", "true"
    )
    page.select_option("#paper_registration_certificate", "copy")
    sent: dict[str, str | float | bool] = page.evaluate(
        "() => Object.fromEntries(new FormData(document.querySelector('form.dossier-new')))"
    )
    page.get_by_role("button", name="Tiếp nhận và in giấy hẹn").click()
    page.wait_for_url(CODE)
    code = _code_of(page.url)
    again = page.request.post(
        "/console/dossiers/new", form=sent, headers={"Origin": story.root}, max_redirects=5
    )
    assert _code_of(again.url) == code
    receipt = page.request.get(f"/console/dossiers/{code}/papers/receipt.pdf")
    assert receipt.body().startswith(b"%PDF-")
    return code


def _a_citizen_looks_it_up(story: Story, page: Page, code: str) -> None:
    """Without login, by the code; nothing personal stands there."""
    truck = story.clips.cast.truck
    page.goto("/public/dossiers")
    page.fill("#code", code.lower())
    page.press("#code", "Enter")
    page.wait_for_url(f"**/public/dossiers/{code}")
    expect(page.locator("main")).to_contain_text("Hồ sơ đã được tiếp nhận")
    for secret in (truck.owner.name, truck.plate, truck.chassis):
        expect(page.locator("body")).not_to_contain_text(secret)
    page.context.clear_cookies()
    page.goto(f"/console/dossiers/{code}")
    expect(page.locator("input[type=password]")).to_be_visible()


def _a_supplement_stops_the_clock(page: Page) -> None:
    """Asked for and received; the appointment goes and comes."""
    page.locator("summary", has_text="Yêu cầu bổ sung").click()
    page.locator("input[name='paper.other']").check()
    page.fill("#reason-request_supplement", "Cần bổ sung ảnh chụp xe")
    page.get_by_role("button", name="Yêu cầu bổ sung").press("Enter")
    expect(page.locator(".dossier-due-warn")).to_be_visible()

    page.locator("summary", has_text="Nhận bổ sung").click()
    page.select_option("#got-other", "copy")
    page.get_by_role("button", name="Nhận bổ sung").press("Enter")
    expect(page.locator(".dossier-due-warn")).to_have_count(0)
    expect(page.locator(".dossier-due")).to_be_visible()
    expect(page.locator("summary", has_text="Duyệt cấp")).to_have_count(0)


def _another_decides_and_the_badge_is_signed(story: Story, page: Page, code: str) -> None:
    """The approver decides; the job's paper appears by itself, and its signature holds."""
    page.goto(f"/console/dossiers/{code}")
    page.locator("summary", has_text="Duyệt cấp").click()
    page.get_by_role("button", name="Duyệt cấp").click()
    badge = page.locator("#documents a[href$='badge.pdf']")
    expect(badge).to_be_visible(timeout=PAPER_LIMIT_MS)
    pdf = page.request.get(badge.get_attribute("href") or "").body()

    report: SignatureReport = story.beside(
        lambda: verify_pdf_now(
            pdf, trusted_ca=story.stack.layout.signing_key.ca_file, now=datetime.now(UTC)
        )
    )
    assert report.is_good
    changed = pdf.replace(b"/Type", b"/Typo", 1)
    assert not story.beside(lambda: _is_good(story, changed))


def _the_truck_passes_again_without_alert(
    story: Story, page: Page, alert_url: str, code: str
) -> None:
    """Its badge is in the registry: no alert, and the old one names the dossier that ended it."""
    plate = story.clips.cast.truck.plate
    played = story.beside(lambda: story.play(story.clips.again))
    passed = _passed(story, since=played.began_at, count=1)
    assert passed.passage_of(plate) is not None
    assert passed.alerts_about(plate) == []

    page.goto("/console/alerts")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text(LISTED)
    page.goto(alert_url)
    expect(page.locator("main").get_by_text(code).first).to_be_visible()
    expect(page.locator(f"main a[href$='/console/dossiers/{code}']").first).to_be_visible()


def _the_day_is_closed(story: Story, page: Page, forgotten: UUID) -> None:
    """What the provider's file lacks and has too many is found out; ledger and log are whole."""
    user, day = story.prepared.staff.users["toll1"], local_date(datetime.now(UTC))
    charges = story.beside(lambda: tolls.charges_of(story.database_url, day=day, user=user))
    path = story.folder / "provider.csv"
    extra = tolls.write_provider_file(path, charges, left_out=forgotten)
    closed = story.beside(
        lambda: run_command(
            story.stack,
            *("toll", "close-day", STATION, day.isoformat(), "--so-far"),
            *("--provider-file", str(path), "--provider", PROVIDER),
        )
    )
    assert closed.code == 0, closed.text
    assert str(forgotten) in closed.text
    assert str(extra) in closed.text
    assert story.beside(lambda: run_command(story.stack, "toll", "verify")).code == 0
    assert story.beside(lambda: run_command(story.stack, "audit", "verify")).code == 0

    page.goto("/console/tolls/days")
    page.locator(".results tbody tr a.row-link").first.click()
    expect(page.locator("main")).to_contain_text("220.000")  # twice 75.000, twice 35.000
    expect(page.locator("main")).to_contain_text(str(forgotten))


def _programs_are_answered(story: Story, page: Page) -> None:
    """Yes, no and unknown, each with its grounds; without a purpose nothing."""
    today = local_date(datetime.now(UTC))
    for question in asking.questions(story.clips.cast, today=today):
        answer = page.request.post(question.path, data={**question.body, "purpose": asking.PURPOSE})
        assert answer.status == 200, answer.text()
        verdict = answer.json()
        assert verdict["answer"] == question.wanted, question.asked
        assert verdict["reasons"]
    without = page.request.post(
        "/v1/vehicles/lookup", data={"chassis_number": story.clips.cast.truck.chassis}
    )
    assert without.status == 422


def _passed(story: Story, *, since: datetime, count: int) -> Passed:
    """What a play stored, once it is judged."""
    user = story.prepared.staff.users["operator1"]
    return story.beside(
        lambda: watching.wait_until_judged(story.database_url, since=since, count=count, user=user)
    )


def _is_good(story: Story, pdf: bytes) -> bool:
    return verify_pdf_now(
        pdf, trusted_ca=story.stack.layout.signing_key.ca_file, now=datetime.now(UTC)
    ).is_good


def _expect_picture(picture: Locator) -> None:
    expect(picture).to_be_visible()
    picture.page.wait_for_function("image => image.complete", arg=picture.element_handle())
    assert picture.evaluate("image => image.naturalWidth") > PICTURE_WIDTH_MIN


def _code_of(url: str) -> str:
    found = CODE.search(url)
    assert found is not None, url
    return found.group(1)
