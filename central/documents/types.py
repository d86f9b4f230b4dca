# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of papers that were given out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NewType
from uuid import UUID

DocumentId = NewType("DocumentId", UUID)

RSA_BITS_MIN: Final = 3072
"""Shortest RSA key that is as strong as 128 bits. Higher: fewer authorities' keys are accepted."""


class SubjectKind(StrEnum):
    """What a paper is about."""

    DOSSIER = "dossier"
    DATA_REQUEST = "data_request"
    COMPLETENESS = "completeness"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a paper is about: its kind and its id as text."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper without its content.

    Attributes:
        kind: Name of its template: ``receipt``, ``supplement``, ``rejection``, ``badge``,
            ``permit``, ``erasure``, ``completeness``, ``retention``.
        revision: From 1; an earlier revision is kept as it was given out.
        values_sha256: Hash of what stands on it; equal for equal papers.
        signed_by: Common name of the signer; ``None`` for papers without a signature.
    """

    id: DocumentId
    kind: str
    subject_kind: str
    subject_id: str
    revision: int
    content_sha256: str
    values_sha256: str
    size_bytes: int
    template: str
    signed_by: str | None
    signed_at: datetime | None
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A paper that is there now, and whether it was made just now."""

    document: Document
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """Where a key and its certificates lie, PEM.

    Attributes:
        key_file: Private key, without a passphrase; readable by its owner only.
        certificate_file: Certificate of the key.
        ca_file: Certificate of whoever issued it; goes into the signature, too.
        rsa_bits_min: Shortest RSA key of both certificates that is signed with.
    """

    key_file: Path
    certificate_file: Path
    ca_file: Path
    rsa_bits_min: int = RSA_BITS_MIN
