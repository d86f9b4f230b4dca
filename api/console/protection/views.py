# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages of data protection show."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from api.pages.i18n import Speech
from central.protection.keeping.inventory import Retention
from central.protection.keeping.types import ErasureRecord
from central.protection.types import DataRequest, Finding, PastLook, Relative

ROOT_PATH: Final = "/console/protection"
LOOKS_PATH: Final = f"{ROOT_PATH}/looks"
RULES_PATH: Final = f"{ROOT_PATH}/rules"
RELATIVES_PATH: Final = f"{ROOT_PATH}/relatives"
RETENTION_PATH: Final = f"{ROOT_PATH}/retention"
REQUESTS_PATH: Final = f"{ROOT_PATH}/requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookView:
    """One look at a vehicle."""

    id: int
    time: str
    actor: str
    role: str | None
    action: str
    purpose: str | None
    case_reference: str | None
    client_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding.

    Attributes:
        tone: Of its chip; empty for a plain one.
    """

    id: int
    rule: str
    username: str
    day: str
    looks: str
    usual: str | None
    state: str
    tone: str
    decided: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeView:
    """One listed relative."""

    id: int
    username: str
    added: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """One request."""

    code: str
    url: str
    kind: str
    state: str
    tone: str
    applicant: str
    contact: str
    statement: str
    received: str
    acknowledge_by: str
    due_on: str
    is_late: bool
    is_open: bool
    is_erasure: bool
    is_erased: bool
    legal_reference: str
    decided: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionView:
    """How long one kind of data is kept."""

    data: str
    keep: str | None
    job: str | None
    reference: str


def look_view(look: PastLook, speech: Speech) -> LookView:
    """A look."""
    return LookView(
        id=look.id,
        time=f"{speech.time(look.occurred_at)} {speech.local_date(look.occurred_at)}",
        actor=look.actor,
        role=look.actor_role,
        action=look.action,
        purpose=look.purpose,
        case_reference=look.case_reference,
        client_address=look.client_address,
    )


def finding_view(finding: Finding, speech: Speech) -> FindingView:
    """A finding."""
    tones = {"open": "warn", "escalated": "bad", "explained": "ok"}
    decided = (
        f"{finding.decided_by} · {speech.local_date(finding.decided_at)}"
        if finding.decided_at is not None
        else ""
    )
    return FindingView(
        id=finding.id,
        rule=finding.rule,
        username=finding.username,
        day=speech.day(finding.day),
        looks=speech.number(finding.looks),
        usual=speech.number(round(finding.usual)) if finding.usual is not None else None,
        state=finding.state,
        tone=tones[finding.state],
        decided=decided,
        reason=finding.reason,
    )


def relative_view(relative: Relative, speech: Speech) -> RelativeView:
    """A listed relative."""
    return RelativeView(
        id=relative.id,
        username=relative.username,
        added=f"{relative.added_by} · {speech.local_date(relative.added_at)}",
    )


def request_view(request: DataRequest, speech: Speech, *, today: date) -> RequestView:
    """A request."""
    is_open = not request.state.is_ended
    is_late = is_open and (
        today > request.due_on
        or (request.acknowledged_at is None and today > request.acknowledge_by)
    )
    tones = {"received": "warn", "acknowledged": "", "done": "ok", "refused": "bad"}
    is_erasure = request.kind == "erasure"
    return RequestView(
        code=request.code,
        url=f"{REQUESTS_PATH}/{request.code}",
        kind=request.kind,
        state=request.state,
        tone=tones[request.state],
        applicant=request.applicant,
        contact=request.contact,
        statement=request.statement,
        received=f"{speech.local_date(request.received_at)} · {request.received_by}",
        acknowledge_by=speech.day(request.acknowledge_by),
        due_on=speech.day(request.due_on),
        is_late=is_late,
        is_open=is_open,
        is_erasure=is_erasure,
        is_erased=is_erasure and request.state == "done",
        legal_reference=request.legal_reference,
        decided=(
            f"{speech.local_date(request.decided_at)} · {request.decided_by}"
            if request.decided_at is not None
            else ""
        ),
        answer=request.answer or "",
    )


def retention_view(retention: Retention, speech: Speech) -> RetentionView:
    """A line of the list of what is kept."""
    return RetentionView(
        data=retention.data,
        keep=speech.duration(retention.keep) if retention.keep is not None else None,
        job=retention.job,
        reference=retention.reference,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureView:
    """One erasure by date.

    Attributes:
        kept: Code of the purpose and number of rows, of each purpose that keeps any.
    """

    made_at: str
    data: str
    since: str
    until: str
    erased: str
    pictures: str
    kept: tuple[tuple[str, str], ...]
    way: str
    ids_sha256: str
    paper_url: str


def erasure_view(record: ErasureRecord, speech: Speech) -> ErasureView:
    """A line of the list of erasures."""
    return ErasureView(
        made_at=speech.minute_and_date(record.made_at),
        data=record.data,
        since=speech.minute_and_date(record.since),
        until=speech.minute_and_date(record.until),
        erased=speech.number(record.erased),
        pictures=speech.number(record.pictures),
        kept=tuple((purpose.value, speech.number(rows)) for purpose, rows in record.kept.items()),
        way=record.way,
        ids_sha256=record.ids_sha256,
        paper_url=f"{RETENTION_PATH}/{record.id}/record.pdf",
    )
