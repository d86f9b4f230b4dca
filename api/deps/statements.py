# SPDX-License-Identifier: AGPL-3.0-or-later
"""Statements of completeness as files that are downloaded, from the console and from ``/v1``."""

from typing import Annotated, Final

from fastapi import Query
from starlette.responses import Response

from central.completeness.statement_rows import KeptStatement

STATEMENT_MEDIA_TYPE: Final = "application/vnd.luuthong.completeness+json"
PDF: Final = "application/pdf"
REVISION_MAX: Final = 1_000_000

Revision = Annotated[
    int | None,
    Query(ge=1, le=REVISION_MAX, description="Which statement about the day; else the newest."),
]


def statement_response(
    kept: KeptStatement, content: bytes, *, media_type: str, suffix: str
) -> Response:
    """One file of a statement, under a name that tells the day and the revision."""
    name = f"completeness-{kept.day}-{kept.revision}.{suffix}"
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
