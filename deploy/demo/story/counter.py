# SPDX-License-Identifier: AGPL-3.0-or-later
"""The truck's dossier, from the clerk's counter to the signed badge, through the real pages."""

import re
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import AuditFilter
from central.documents.verification import verify_pdf_now
from central.domain.local_time import LOCAL_ZONE, local_date, to_local
from central.procedures.rulebook.library import ProcedureLibrary
from central.procedures.service import DossierService
from central.procedures.views import PublicStatus
from central.registry.service import RegistryService
from central.settings import NotifySettings, OfficeSettings
from deploy.demo.story.browsing import OK, HtmlPage, PageError, PageReader
from deploy.demo.story.cast import Cast
from deploy.demo.story.files import STATION_NAME
from deploy.demo.story.results import StepResult
from deploy.demo.story.setting import Staff, in_database
from deploy.local.clock import utc_now
from deploy.local.stack import LocalStack

VEHICLES_PATH: Final = "/console/vehicles"
DOSSIERS_PATH: Final = "/console/dossiers"
PUBLIC_PATH: Final = "/public/dossiers"
REFUSED: Final = 422
FORBIDDEN: Final = 403
PAPER_LIMIT_S: Final = 60.0
POLL_S: Final = 0.3
YEARS: Final = 3
_VEHICLE: Final = re.compile(rf"{VEHICLES_PATH}/([0-9a-f-]{{36}})")
_CODE: Final = re.compile(rf"{DOSSIERS_PATH}/([A-Z][0-9.]+-[0-9]{{6}}-[0-9]{{4}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTimeExample:
    """A deadline that was worked out by hand.

    Attributes:
        why: The hand's reckoning.
    """

    from_at: datetime
    days: int
    until_at: datetime
    why: str


def _local(day: str, hour: int, minute: int) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=LOCAL_ZONE)


EXAMPLES: Final = (
    WorkingTimeExample(
        from_at=_local("2026-02-13", 9, 15),
        days=2,
        until_at=_local("2026-02-24", 9, 15),
        why="Friday; Tết 14-22/2; Mon 23/2 is the first day, Tue 24/2 the second",
    ),
    WorkingTimeExample(
        from_at=_local("2027-01-29", 9, 15),
        days=4,
        until_at=_local("2027-02-11", 9, 15),
        why="Friday; Mon 1, Tue 2, Wed 3/2; Tết 4-10/2 (expected); Thu 11/2 is the fourth day",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the counter needs.

    Attributes:
        folder: Where papers are saved.
        root: Address of the api.
    """

    stack: LocalStack
    cast: Cast
    staff: Staff
    folder: Path
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A dossier that was taken in.

    Attributes:
        code: Its code.
        vehicle_id: The truck.
    """

    code: str
    vehicle_id: UUID

    @property
    def path(self) -> str:
        """Its page at the counter."""
        return f"{DOSSIERS_PATH}/{self.code}"


def look_up(visit: Visit, clerk: PageReader) -> tuple[StepResult, HtmlPage]:
    """The clerk finds the truck, says why, and sees everything about it in one place."""
    step = StepResult(title="4a · The clerk opens the truck's page")
    page = clerk.open(VEHICLES_PATH)
    plate = visit.cast.truck.plate
    page = clerk.submit(page, page.form(to="/search"), {"text": plate, "purpose": "dossier"})
    found = _VEHICLE.search(page.path)
    if not step.check(found is not None, f"found by its plate {plate}; purpose: dossier"):
        raise PageError(f"{page.url} is not the truck's page")
    step.page = page.url
    for what, sign in (
        ("its owner", visit.cast.truck.owner.name),
        ("the permit for Laos", f"LV-MAU-{plate}"),
        ("the missing badge", "Biển vàng không có phù hiệu"),
        ("its passage", STATION_NAME),
        ("its toll", "75.000"),
    ):
        step.check(sign in page.text, f"shows {what}", otherwise=f"does not show {what}")
    vehicle_id = page.path.rsplit("/", 1)[-1]
    is_audited = in_database(
        visit.stack.state.database_url,
        lambda connection: _was_looked_at(connection, vehicle_id),
    )
    step.check(is_audited, "the look is in the audit log: clerk1, purpose dossier")
    return step, page


def take_in(visit: Visit, clerk: PageReader, vehicle: HtmlPage) -> tuple[StepResult, Opened]:
    """The clerk takes the dossier in: first a paper is missing, then it is sent twice."""
    step = StepResult(title="4b · The badge dossier is taken in")
    page = clerk.open(vehicle.link("/console/dossiers/new"))
    page = clerk.open(page.link("procedure=badge"))
    form = page.form(to="/dossiers/new")
    filled = {
        "field_badge_kind": "goods",
        "field_years": str(YEARS),
        "paper_request_form": "original",
        "submitted_by": "Người nộp mẫu",
    }
    refused = clerk.submit(page, form, filled)
    step.check(
        refused.status == REFUSED and "Chứng nhận đăng ký xe" in refused.text,
        f"without the registration certificate: refused ({refused.status}), the paper is named",
    )
    whole = {**filled, "paper_registration_certificate": "copy"}
    done = clerk.submit(refused, refused.form(to="/dossiers/new"), whole)
    code = _code_of(done)
    again = clerk.submit(refused, refused.form(to="/dossiers/new"), whole)
    step.page = done.url
    opened = Opened(code=code, vehicle_id=UUID(vehicle.path.rsplit("/", 1)[-1]))
    status = public_status(visit, code)
    step.check(status.due_at is not None, f"taken in: {code}, {_term(status)}")
    step.check(_code_of(again) == code, "the same form sent twice: one dossier")
    _receipt(step, visit, clerk, opened)
    _public(step, visit, opened)
    for example in EXAMPLES:
        _example(step, visit, example)
    return step, opened


def supplement(visit: Visit, clerk: PageReader, dossier: Opened) -> StepResult:
    """The clerk asks for a paper, the clock stands; the paper comes, the clock runs."""
    step = StepResult(title="5a · A supplement: the clock stands and runs", page=visit.root)
    step.page = visit.root + dossier.path
    page = clerk.open(dossier.path)
    page = clerk.submit(
        page,
        page.form(to="/request_supplement"),
        {"reason": "Cần bổ sung ảnh chụp xe (trình diễn)", "paper.other": "yes"},
    )
    status = public_status(visit, dossier.code)
    step.check(
        page.status == OK and status.state == "supplement_requested" and status.due_at is None,
        f"asked for: {status.state_name.vi}; no appointment while the clock stands",
    )
    page = clerk.submit(page, page.form(to="/receive_supplement"), {"paper_other": "copy"})
    status = public_status(visit, dossier.code)
    step.check(
        page.status == OK and status.state == "received" and status.due_at is not None,
        f"received: {_term(status)}",
    )
    return step


def decide(visit: Visit, clerk: PageReader, approver: PageReader, dossier: Opened) -> StepResult:
    """Another than the clerk approves; the badge is in the registry and on signed paper."""
    step = StepResult(title="5b · The decision and the badge", page=visit.root + dossier.path)
    page = clerk.open(dossier.path)
    forced = clerk.send(f"{dossier.path}/approve", {"version": page.value_of("version")})
    step.check(
        not page.has_form(to="/approve") and forced.status == FORBIDDEN,
        f"the clerk is offered no approval, and one sent all the same is refused ({FORBIDDEN})",
    )
    page = approver.open(dossier.path)
    page = approver.submit(page, page.form(to="/approve"), {})
    status = public_status(visit, dossier.code)
    step.check(page.status == OK and status.state == "approved", "approved by approver1")
    url = visit.stack.state.database_url
    today = local_date(utc_now())
    badge = in_database(url, lambda connection: _badge(connection, dossier.vehicle_id, today))
    step.check(
        badge is not None,
        f"in the registry at once: {badge}",
        otherwise="the registry holds no badge",
    )
    path = _saved_badge(visit, approver, dossier)
    if not step.check(path is not None, f"the paper is there: {path}"):
        return step
    report = verify_pdf_now(
        (path or visit.folder).read_bytes(),
        trusted_ca=visit.stack.layout.signing_key.ca_file,
        now=utc_now(),
    )
    step.check(
        report.is_good,
        f"signed (PAdES) by {report.signer}, intact and trusted: luuthong document verify",
        otherwise="the signature does not hold",
    )
    return step


def public_status(visit: Visit, code: str) -> PublicStatus:
    """What citizens are told of a dossier."""
    return in_database(
        visit.stack.state.database_url,
        lambda connection: _dossiers(connection).public_status(code, now=utc_now()),
    )


def _receipt(step: StepResult, visit: Visit, clerk: PageReader, dossier: Opened) -> None:
    """Save the receipt."""
    content = clerk.get_file(f"{dossier.path}/papers/receipt.pdf")
    path = visit.folder / f"{dossier.code}-receipt.pdf"
    path.write_bytes(content)
    step.check(content.startswith(b"%PDF-"), f"receipt with appointment and QR code: {path}")


def _public(step: StepResult, visit: Visit, dossier: Opened) -> None:
    """Look the dossier up as a citizen does, without a login."""
    with PageReader(visit.root) as citizen:
        page = citizen.open(PUBLIC_PATH)
        page = citizen.submit(page, page.form(to=PUBLIC_PATH), {"code": dossier.code})
    is_told = page.status == OK and dossier.code in page.text
    step.check(is_told, f"without login, by the code or its QR: {page.url}")
    secrets = (visit.cast.truck.plate, visit.cast.truck.owner.name)
    step.check(
        not any(each in page.text for each in secrets), "that page names neither firm nor vehicle"
    )


def _example(step: StepResult, visit: Visit, example: WorkingTimeExample) -> None:
    """Compare a deadline of the real calendar with one that was worked out by hand."""
    calendar = in_database(
        visit.stack.state.database_url, lambda connection: ProcedureLibrary(connection).calendar()
    )
    until = calendar.add_working_days(example.from_at, days=example.days)
    step.check(
        until == example.until_at,
        f"{example.days} working days from {_told(example.from_at)}: {_told(until)}"
        f" ({example.why})",
        otherwise=f"{_told(example.from_at)} + {example.days} days gives {_told(until)} and not"
        f" {_told(example.until_at)} ({example.why})",
    )


def _saved_badge(visit: Visit, approver: PageReader, dossier: Opened) -> Path | None:
    """The badge's paper once the job has made it."""
    deadline = time.monotonic() + PAPER_LIMIT_S
    path = visit.folder / f"{dossier.code}-badge.pdf"
    while time.monotonic() < deadline:
        try:
            path.write_bytes(approver.get_file(f"{dossier.path}/papers/badge.pdf"))
        except PageError:
            time.sleep(POLL_S)
        else:
            return path
    return None


def _dossiers(connection: AsyncConnection) -> DossierService:
    return DossierService(connection, office=OfficeSettings(), notify=NotifySettings())


async def _was_looked_at(connection: AsyncConnection, vehicle_id: str) -> bool:
    page = await AuditService(connection).entries(
        AuditFilter(actor="clerk1", action="vehicle_looked_up", subject_id=vehicle_id),
        before_id=None,
        size=1,
    )
    return bool(page.entries)


async def _badge(connection: AsyncConnection, vehicle_id: UUID, today: date) -> str | None:
    facts = await RegistryService(connection).facts_of(vehicle_id, on=today)
    if facts is None or facts.badge is None:
        return None
    badge = facts.badge
    return f"{badge.number}, {badge.kind}, {badge.valid_from} until {badge.valid_until}"


def _code_of(page: HtmlPage) -> str:
    found = _CODE.search(page.path)
    if found is None:
        raise PageError(f"{page.url} is no dossier's page; its answer was {page.status}")
    return found.group(1)


def _term(status: PublicStatus) -> str:
    return "no appointment" if status.due_at is None else f"appointment {_told(status.due_at)}"


def _told(instant: datetime) -> str:
    return f"{to_local(instant):%a %d/%m/%Y %H:%M}"
