# SPDX-License-Identifier: AGPL-3.0-or-later
"""``Idempotency-Key``: a change that is asked for twice is made once and answered twice."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from psycopg import AsyncConnection
from pydantic import BaseModel
from starlette.responses import Response

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from central.machines.answers import AnswerService, KeptAnswer

KEY_LENGTH_MAX: Final = 100
REPLAYED_HEADER: Final = "Idempotency-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=KEY_LENGTH_MAX,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text that names this one change, such as a UUID. The same request with "
        "the same key within 24 hours changes nothing and is given the first answer again.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change is answered with.

    Attributes:
        kept_body: What a repetition is answered with; ``None`` for the same. A secret is told once.
    """

    body: BaseModel
    kept_body: BaseModel | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def sent(self) -> KeptAnswer:
        """The same as it is sent now."""
        return self._with(self.body)

    def kept(self) -> KeptAnswer:
        """The same as it is kept for a repetition."""
        return self._with(self.kept_body or self.body)

    def _with(self, body: BaseModel) -> KeptAnswer:
        return KeptAnswer(
            status=self.status, headers=dict(self.headers), body=body.model_dump_json()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that changes something, with the key that its caller gave it, if any."""

    key: str | None
    caller: str
    digest: bytes
    connection: AsyncConnection
    now: datetime

    async def answer(self, change: Callable[[], Awaitable[Outcome]]) -> Response:
        """Make a change and answer, or answer what was answered to the same request before.

        A change that is refused is not kept: its repetition is looked at anew.

        Raises:
            AnswerPendingError: The same request is being worked on.
            AnswerKeyReusedError: The key belongs to another request.
        """
        if self.key is None:
            return _response((await change()).sent())
        shelf = AnswerService(self.connection, caller=self.caller, key=self.key)
        earlier = await shelf.earlier(self.digest)
        if earlier is not None:
            return _response(earlier, **{REPLAYED_HEADER: "true"})
        outcome = await change()
        await shelf.keep(outcome.kept(), self.digest, now=self.now)
        return _response(outcome.sent())


async def once_of(
    request: Request,
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    idempotency_key: IdempotencyKey = None,
) -> Once:
    """The request with its key."""
    parts = (
        request.method.encode(),
        request.url.path.encode(),
        request.headers.get("if-match", "").encode(),
        await request.body(),
    )
    return Once(
        key=idempotency_key,
        caller=acting.user.username,
        digest=hashlib.sha256(b"\0".join(parts)).digest(),
        connection=connection,
        now=now,
    )


OnceDep = Annotated[Once, Depends(once_of, scope="function")]


def _response(answer: KeptAnswer, **more: str) -> Response:
    """An answer as it is sent."""
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers | more,
        media_type="application/json",
    )
