# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the audit log's page shows."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from api.pages.i18n import Speech
from central.audit.roots import DayRoot, has_good_signature
from central.audit.types import ActorKind, AuditPage, ChainState, Outcome, RecordedEntry

LIST_PATH: Final = "/console/audit"
ROOTS_PATH: Final = f"{LIST_PATH}/roots"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """The page's address: what was chosen, and how far back the page lies.

    Attributes:
        actor: User, job or command; empty for all.
        action: Code of an act; empty for all.
        about: Number of an entry: only those about the same thing. A number, because the thing's
            own name may be a plate, which must not stand in an address.
        before: Only entries with smaller numbers.
    """

    actor: str = ""
    action: str = ""
    about: int | None = None
    before: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.actor or self.action or self.about)

    def url(self, *, before: int | None = None) -> str:
        """The address of this list from a number on."""
        values = {
            "actor": self.actor,
            "action": self.action,
            "about": self.about,
            "before": before,
        }
        chosen = {name: value for name, value in values.items() if value}
        return f"{LIST_PATH}?{urlencode(chosen)}" if chosen else LIST_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One act."""

    id: int
    time: str
    day: str
    iso: str
    actor: str
    actor_url: str
    actor_kind: str
    role: str | None
    action: str
    is_refused: bool
    subject_kind: str
    subject_id: str
    subject_url: str
    purpose: str | None
    case_reference: str | None
    request_id: str | None
    client_address: str | None
    detail: str
    is_erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """How the chain over the log stands."""

    position: str
    sealed_ago: str | None
    verified_ago: str | None
    problems: str | None
    is_broken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditListView:
    """One page of the log."""

    entries: tuple[EntryView, ...]
    older_url: str | None
    newest_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RootView:
    """Where the chain stood at the end of a day."""

    day: str
    entries: str
    position: str
    hash: str
    signer: str | None
    is_signature_good: bool


def root_view(root: DayRoot, speech: Speech) -> RootView:
    """A day's root."""
    return RootView(
        day=speech.day(root.day),
        entries=speech.number(root.entries),
        position=speech.number(root.position),
        hash=root.hash.hex(),
        signer=root.signer,
        is_signature_good=has_good_signature(root, trusted_ca=None),
    )


def list_view(page: AuditPage, query: AuditQuery, speech: Speech) -> AuditListView:
    """A page of the log."""
    return AuditListView(
        entries=tuple(_entry_view(each, speech) for each in page.entries),
        older_url=query.url(before=page.next_before) if page.next_before else None,
        newest_url=query.url() if query.before is not None else None,
    )


def chain_view(state: ChainState, speech: Speech, *, now: datetime) -> ChainView:
    """The state of the chain."""
    return ChainView(
        position=speech.number(state.position),
        sealed_ago=speech.ago(now - state.sealed_at) if state.sealed_at else None,
        verified_ago=speech.ago(now - state.verified_at) if state.verified_at else None,
        problems=speech.number(state.problem_count) if state.problem_count is not None else None,
        is_broken=bool(state.problem_count),
    )


def _entry_view(recorded: RecordedEntry, speech: Speech) -> EntryView:
    entry = recorded.entry
    actor = entry.actor
    return EntryView(
        id=recorded.id,
        time=speech.time(entry.occurred_at),
        day=speech.local_date(entry.occurred_at),
        iso=entry.occurred_at.isoformat(),
        actor=actor.name,
        actor_url=AuditQuery(actor=actor.name).url(),
        actor_kind=actor.kind.value,
        role=actor.role if actor.kind is ActorKind.USER else None,
        action=entry.action,
        is_refused=entry.outcome is Outcome.REFUSED,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        subject_url=AuditQuery(about=recorded.id).url(),
        purpose=entry.purpose.value if entry.purpose is not None else None,
        case_reference=entry.case_reference,
        request_id=actor.request_id,
        client_address=actor.client_address,
        detail=_detail_text(recorded),
        is_erased=recorded.is_erased,
    )


def _detail_text(recorded: RecordedEntry) -> str:
    """Further facts as they stand in the log; empty when there are none."""
    known = {**recorded.entry.detail, **recorded.facts}
    facts = {name: value for name, value in known.items() if value is not None}
    return json.dumps(facts, ensure_ascii=False, indent=2) if facts else ""
