# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of the own second factor, which every form on it comes back to."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from api.console.account.views import ACCOUNT_PATH, elsewhere, key_view, shown_time
from api.console.parts import Console, ConsoleParts
from api.deps.request import Process, ProcessDep
from api.deps.second_factor import FactorUser, OwnFactor
from api.deps.security_keys import OwnKeys
from api.pages.rendering import language_of
from central.identity.second_factor.service import OwnSecondFactor
from central.identity.second_factor.types import FactorRefused, RecoveryCodes, Refusal
from central.identity.security_keys.service import NAME_LENGTH_MAX, OwnSecurityKeys
from central.identity.security_keys.types import KeyRefusal, KeyRefused
from central.identity.types import Duty, LoginDelayed, User

PROBLEM_OF_PASSWORD: Final = "wrong_password"  # noqa: S105 - the name of a problem


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDesk:
    """Everything that the forms of the own second factor work with."""

    request: Request
    console: ConsoleParts
    process: Process
    user: User
    own: OwnSecondFactor
    keys: OwnSecurityKeys

    @property
    def shown_user(self) -> User | None:
        """Whose menu the page shows: none before the duty is done."""
        return None if self.user.duty else self.user

    async def page(
        self, *, problem: str | None = None, status: int = 200, key_name: str = ""
    ) -> Response:
        """What one has besides the password, and the forms to change it.

        Args:
            problem: What is wrong with the form that was sent.
            status: Of the answer.
            key_name: Name of a key that was typed already.
        """
        overview = await self.own.overview()
        speech = self.console.renderer.speeches[language_of(self.request)]
        added_at = overview.app_added_at
        return self.console.renderer.page(
            self.request,
            "account/second_factor.html",
            user=self.shown_user,
            status=status,
            is_on=self.process.seal is not None,
            is_duty=self.user.duty is Duty.ADD_SECOND_FACTOR,
            added=None if added_at is None else shown_time(added_at, speech),
            has_any=overview.has_any,
            codes_left=overview.recovery_codes_left,
            keys=[key_view(each, speech) for each in await self.keys.keys()],
            are_keys_on=self.process.key_site is not None,
            elsewhere=elsewhere(self.request, self.process.key_site),
            key_name=key_name,
            name_length_max=NAME_LENGTH_MAX,
            problem=problem,
            account_path=ACCOUNT_PATH,
        )

    async def refused(self, refusal: Refusal | KeyRefusal, *, key_name: str = "") -> Response:
        """The page again, with what is wrong; no password and no code comes back."""
        if isinstance(refusal, LoginDelayed):
            return await self.page(problem="delayed", status=429, key_name=key_name)
        code = PROBLEM_OF_PASSWORD
        if isinstance(refusal, FactorRefused | KeyRefused):
            code = refusal.fault.value
        return await self.page(problem=code, status=422, key_name=key_name)

    def recovery_codes(self, made: RecoveryCodes) -> Response:
        """Recovery codes, shown once."""
        return self.console.renderer.page(
            self.request,
            "account/recovery_codes.html",
            user=self.shown_user,
            codes=made.codes,
            account_path=ACCOUNT_PATH,
        )


async def factor_desk(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    user: FactorUser,
    own: OwnFactor,
    keys: OwnKeys,
) -> FactorDesk:
    """The own second factor of whoever asks.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    return FactorDesk(
        request=request, console=console, process=process, user=user, own=own, keys=keys
    )


FactorDeskDep = Annotated[FactorDesk, Depends(factor_desk, scope="function")]
