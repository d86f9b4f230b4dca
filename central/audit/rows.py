# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the audit log as the database gives them, and what of them is hashed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.audit.keys import SubjectKey
from central.audit.types import (
    Actor,
    ActorKind,
    AuditEntry,
    JsonValue,
    Outcome,
    Purpose,
    RecordedEntry,
)
from central.domain.hash_chain import ChainLink, ChainValue


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One act, column by column."""

    id: int
    occurred_at: datetime
    actor_kind: str
    actor: str
    actor_role: str | None
    action: str
    outcome: str
    subject_kind: str
    subject_id: str
    purpose: str | None
    case_reference: str | None
    request_id: str | None
    detail: dict[str, JsonValue]
    client_address: str | None = None
    key_id: UUID | None = None
    sealed_facts: bytes | None = None

    def hashed(self, *, sealed_at: datetime) -> Mapping[str, ChainValue]:
        """Everything that the chain proves of this act: every column, and when it was sealed.

        Columns that came later stand in it where they are filled: an entry from before has the
        same bytes as ever, and whoever fills or empties one changes them.
        """
        later = {
            "client_address": self.client_address,
            "key_id": self.key_id,
            "sealed_facts": self.sealed_facts,
        }
        return {
            "id": self.id,
            "occurred_at": self.occurred_at,
            "actor_kind": self.actor_kind,
            "actor": self.actor,
            "actor_role": self.actor_role,
            "action": self.action,
            "outcome": self.outcome,
            "subject_kind": self.subject_kind,
            "subject_id": self.subject_id,
            "purpose": self.purpose,
            "case_reference": self.case_reference,
            "request_id": self.request_id,
            "detail": self.detail,
            "sealed_at": sealed_at,
            **{name: value for name, value in later.items() if value is not None},
        }

    def recorded(self, keys: Mapping[UUID, SubjectKey]) -> RecordedEntry:
        """The act as a value.

        Args:
            keys: Those that are left of the keys of the page's entries.
        """
        key = keys.get(self.key_id) if self.key_id is not None else None
        facts = key.open(self.sealed_facts) if key is not None and self.sealed_facts else None
        return RecordedEntry(
            id=self.id,
            facts=facts or {},
            is_erased=self.key_id is not None and key is None,
            entry=AuditEntry(
                occurred_at=self.occurred_at,
                actor=Actor(
                    kind=ActorKind(self.actor_kind),
                    name=self.actor,
                    role=self.actor_role,
                    request_id=self.request_id,
                    client_address=self.client_address,
                ),
                action=self.action,
                subject_kind=self.subject_kind,
                subject_id=self.subject_id,
                outcome=Outcome(self.outcome),
                purpose=Purpose(self.purpose) if self.purpose is not None else None,
                case_reference=self.case_reference,
                detail=self.detail,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """One link of the chain."""

    position: int
    entry_id: int
    previous_hash: bytes
    hash: bytes
    sealed_at: datetime

    @property
    def link(self) -> ChainLink:
        """The link as a value."""
        return ChainLink(position=self.position, hash=self.hash)
