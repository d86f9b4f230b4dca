# SPDX-License-Identifier: AGPL-3.0-or-later
"""The link to the national centre: HTTPS only, no redirect, no proxy of the environment."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Final

import httpx

from central.errors import SettingsError
from central.national.pushing.types import REASON_LENGTH_MAX, Answered, NotAnswered
from central.national.types import Acceptance, Sheet, SheetKind
from central.national_settings import NationalSettings
from central.settings import read_secret

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 65_536
USER_AGENT: Final = "Luuthong-National/1"
REFUSED: Final = frozenset({400, 409, 413, 415, 422})
"""About this sheet: others may be taken. Every other error is about the link, and all wait."""

_PLACES: Final = {
    SheetKind.TRAFFIC_HOUR: "traffic",
    SheetKind.TOLL_DAY: "tolls",
    SheetKind.COMPLETENESS_DAY: "completeness",
}


class NationalLink:
    """An open link for one province."""

    def __init__(self, client: httpx.AsyncClient, *, province: str) -> None:
        self._client = client
        self._province = province

    async def put(self, sheet: Sheet) -> Answered | NotAnswered:
        """Hand a sheet up; whatever goes wrong is told in the answer."""
        body = {"revised_at": sheet.revised_at.isoformat(), "rows": sheet.row_objects()}
        try:
            response = await self._client.put(
                sheet_path(self._province, sheet),
                content=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
        except httpx.TimeoutException:
            return NotAnswered(reason="timeout")
        except httpx.HTTPError:
            return NotAnswered(reason="unreachable")
        return _answer(response)


@asynccontextmanager
async def national_link(settings: NationalSettings) -> AsyncIterator[NationalLink]:
    """The link to the national centre, closed at the end of the block.

    Raises:
        SettingsError: No address is set, or the key or the certificates can't be read.
    """
    if settings.url is None or settings.key_file is None or settings.province is None:
        raise SettingsError("no national centre is set: …NATIONAL__URL, KEY_FILE and PROVINCE")
    async with httpx.AsyncClient(
        base_url=settings.url,
        verify=_trust(settings.ca_file),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=1),
        headers={
            "Authorization": f"Bearer {read_secret(settings.key_file)}",
            "User-Agent": USER_AGENT,
        },
    ) as client:
        yield NationalLink(client, province=settings.province)


def sheet_path(province: str, sheet: Sheet) -> str:
    """Where a sheet belongs."""
    period = (
        sheet.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if sheet.kind is SheetKind.TRAFFIC_HOUR
        else sheet.day.isoformat()
    )
    return f"/v1/national/{province}/{_PLACES[sheet.kind]}/{period}"


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        name = ca_file.name if ca_file is not None else "the system's"
        raise SettingsError(f"can't read the certificates {name}") from error


def _answer(response: httpx.Response) -> Answered | NotAnswered:
    """What an answer means."""
    found: object = None
    if len(response.content) <= ANSWER_BYTES_MAX:
        try:
            found = response.json()
        except ValueError:
            found = None
    told = found if isinstance(found, dict) else {}
    if response.status_code == httpx.codes.OK:
        outcome = told.get("outcome")
        if outcome in set(Acceptance):
            return Answered(acceptance=Acceptance(outcome))
        return NotAnswered(reason="bad_answer")
    reason = str(told.get("code") or f"http_{response.status_code}")[:REASON_LENGTH_MAX]
    if response.status_code in REFUSED:
        return Answered(refusal=reason)
    return NotAnswered(reason=reason)
