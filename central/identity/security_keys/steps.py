# SPDX-License-Identifier: AGPL-3.0-or-later
"""The step between a right password and a session, taken with a security key."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, ActorKind, AuditEntry, Outcome
from central.identity.login_steps import LoginStepRepository
from central.identity.second_factor.types import StepOutcome
from central.identity.second_factor.waiting import WaitingLogins
from central.identity.security_keys.ceremonies import KeyCeremonies, credential_id_of
from central.identity.security_keys.challenges import is_fresh, new_challenge
from central.identity.security_keys.repository import KeyRepository
from central.identity.security_keys.types import KeyQuestion, KeySite, KnownKey
from central.identity.service import token_hash
from central.identity.types import Origin, Proof, SessionPolicy, User

USER_SUBJECT: Final = "user"


class KeySteps:
    """Logins whose password was right and whose key is to answer, in the caller's transaction.

    The caller commits after a refusal, too: the failure must be counted.
    """

    def __init__(
        self, connection: AsyncConnection, *, site: KeySite, policy: SessionPolicy | None = None
    ) -> None:
        self._rows = KeyRepository(connection)
        self._steps = LoginStepRepository(connection)
        self._waiting = WaitingLogins(connection, policy=policy)
        self._audit = AuditService(connection)
        self._ceremonies = KeyCeremonies(site)

    async def ask(self, token: str, *, now: datetime) -> KeyQuestion | None:
        """What the browser is to ask the user's keys; an earlier question is over.

        Returns:
            ``None`` when no login waits under this token, or its user has no key.
        """
        user = await self._waiting.user(token, now=now)
        known_ids = await self._rows.credential_ids(user.id) if user else ()
        if not known_ids:
            return None
        challenge = new_challenge(now=now)
        await self._steps.put_challenge(token_hash(token), challenge)
        options = self._ceremonies.request(known_ids=known_ids, challenge=challenge)
        return KeyQuestion(options=options)

    async def finish(
        self, token: str, answer: str, *, origin: Origin, old_token: str | None, now: datetime
    ) -> StepOutcome:
        """Take a key's answer, which is looked at once, and open the session.

        Args:
            token: What the right password gave.
            answer: JSON of the browser.
            origin: Where the login comes from, which has delays of its own.
            old_token: Session that the browser holds already; the new one ends it.
            now: Aware time.
        """

        async def prove(user: User) -> Proof | None:
            challenge = await self._steps.take_challenge(token_hash(token))
            if challenge is None or not is_fresh(challenge, now=now):
                return None
            is_proven = await self._is_proven(
                user, answer, challenge=challenge, origin=origin, now=now
            )
            return Proof.SECURITY_KEY if is_proven else None

        return await self._waiting.finish(token, prove, origin=origin, old_token=old_token, now=now)

    async def _is_proven(
        self, user: User, answer: str, *, challenge: bytes, origin: Origin, now: datetime
    ) -> bool:
        """Whether one of the user's keys signed, and moved its counter on if it has one."""
        credential_id = credential_id_of(answer)
        key = await self._rows.locked_key(user.id, credential_id) if credential_id else None
        if key is None:
            return False
        count = self._ceremonies.signed_count(answer, key=key, challenge=challenge)
        if count is None:
            return False
        if count <= key.sign_count and (count, key.sign_count) != (0, 0):
            await self._record_copy(user, key, origin=origin, now=now)
            return False
        await self._rows.use(key.id, sign_count=count, now=now)
        return True

    async def _record_copy(
        self, user: User, key: KnownKey, *, origin: Origin, now: datetime
    ) -> None:
        """Write down that a right signature came with a counter that went back."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=Actor(
                    kind=ActorKind.USER,
                    name=user.username,
                    role=user.role,
                    client_address=origin.client,
                ),
                action="security_key_counter_went_back",
                outcome=Outcome.REFUSED,
                subject_kind=USER_SUBJECT,
                subject_id=user.username,
                detail={"key": str(key.id)},
            )
        )
