# SPDX-License-Identifier: AGPL-3.0-or-later
"""An error as a caller sees it (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import JSONResponse

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
PROBLEM_TYPE_PREFIX: Final = "urn:luuthong:problem:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as the caller sees it.

    Attributes:
        code: Stable name that programs may depend on.
        title: English sentence for engineers; the console translates by ``code``.
        fields: Which fields are wrong and why, without their values.
        headers: Headers of the answer.
    """

    status: int
    code: str
    title: str
    fields: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_response(self, *, request_id: str) -> JSONResponse:
        """The answer as problem+json."""
        body: dict[str, object] = {
            "type": f"{PROBLEM_TYPE_PREFIX}{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "request_id": request_id,
        }
        if self.fields:
            body["fields"] = list(self.fields)
        return JSONResponse(
            body,
            status_code=self.status,
            headers=dict(self.headers),
            media_type=PROBLEM_MEDIA_TYPE,
        )
