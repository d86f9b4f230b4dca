# SPDX-License-Identifier: AGPL-3.0-or-later
"""What makes two entries with the same key the same entry."""

import hashlib
import json
from datetime import UTC

from central.ledger.types import NewEntry


def fingerprint(entry: NewEntry) -> bytes:
    """SHA-256 over kind, time, day, link and postings; the order of the postings has no meaning.

    The memo is words about the entry and no part of it: a repeat may word it differently.
    """
    contents = [
        entry.kind.value,
        entry.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.booked_on.isoformat(),
        entry.corrects,
        sorted(
            [posting.account.kind.value, posting.account.reference, posting.amount_dong]
            for posting in entry.postings
        ),
    ]
    canonical = json.dumps(contents, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).digest()
