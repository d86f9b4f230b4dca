# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second factor from being set up to being taken away, and what guessing it costs."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest
from pyotp import TOTP

from central.audit.service import AuditService
from central.audit.types import Actor, AuditFilter
from central.errors import PermissionDeniedError, SessionInvalidError
from central.identity.administration import UserAdministration
from central.identity.errors import (
    IdentityProofMissingError,
    OwnAccountError,
    RoleNotAssignableError,
    SecondFactorOffError,
)
from central.identity.permissions import Role
from central.identity.second_factor.administration import FactorAdministration
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.service import SETUP_LASTS, OwnSecondFactor
from central.identity.second_factor.steps import LoginSteps
from central.identity.second_factor.types import (
    FactorFault,
    FactorRefused,
    FactorRemoved,
    LoginStepEnded,
    RecoveryCodes,
    Reproof,
    Setup,
    StepOutcome,
)
from central.identity.second_factor.waiting import STEP_FAILURES_MAX
from central.identity.service import STEP_LASTS, IdentityService
from central.identity.types import (
    Duty,
    LoggedIn,
    LoginDelayed,
    LoginRefused,
    NewPassword,
    Origin,
    PasswordLife,
    Proof,
    SecondFactorNeeded,
    UserState,
)

NOW: Final = datetime(2026, 3, 1, 8, 0, 10, tzinfo=UTC)
ACTOR: Final = Actor.command("test")
HERE: Final = Origin(client="192.0.2.7", browser="Firefox")
SEAL: Final = SecretSeal.of_text("k" * 43)
WRONG: Final = "ABCD"


@dataclass(kw_only=True)
class Clerk:
    """Somebody with an app."""

    connection: psycopg.AsyncConnection
    made: NewPassword
    session: LoggedIn
    app: TOTP = field(default_factory=lambda: TOTP("A" * 32))
    codes: tuple[str, ...] = ()

    @property
    def own(self) -> OwnSecondFactor:
        """The second factor as its owner has it."""
        return self.own_with(SEAL)

    def own_with(self, seal: SecretSeal | None) -> OwnSecondFactor:
        """The same at an api with another key or none."""
        return OwnSecondFactor(
            self.connection,
            user=self.session.user,
            token=self.session.token,
            actor=ACTOR,
            seal=seal,
        )

    async def set_up(self, *, now: datetime) -> None:
        """Let the app take a secret over and confirm it."""
        begun = await self.own.begin(self.made.password, origin=HERE, now=now)
        assert isinstance(begun, Setup), begun
        self.app = TOTP(begun.secret)
        done = await self.own.confirm(self.app.at(now), now=now)
        assert isinstance(done, RecoveryCodes), done
        self.codes = done.codes

    async def step(self, *, now: datetime) -> str:
        """Sign in as far as the password goes."""
        outcome = await IdentityService(self.connection).log_in(
            username="clerk", password=self.made.password, origin=HERE, now=now
        )
        assert isinstance(outcome, SecondFactorNeeded), outcome
        return outcome.token

    async def type_code(self, token: str, code: str, *, now: datetime) -> StepOutcome:
        """The second step."""
        return await LoginSteps(self.connection, seal=SEAL).finish(
            token, code, origin=HERE, old_token=None, now=now
        )


@pytest.fixture
async def clerk(connection: psycopg.AsyncConnection) -> Clerk:
    people = UserAdministration(connection, actor=ACTOR)
    made = await people.add(
        username="clerk",
        display_name="Một cửa",
        role=Role.CLERK,
        life=PasswordLife.LASTING,
        now=NOW,
    )
    session = await IdentityService(connection).log_in(
        username="clerk", password=made.password, now=NOW
    )
    assert isinstance(session, LoggedIn)
    return Clerk(connection=connection, made=made, session=session)


async def test_after_the_set_up_a_password_alone_opens_no_session(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    later = NOW + timedelta(minutes=1)

    token = await clerk.step(now=later)

    with pytest.raises(SessionInvalidError):  # the step's token is no session's
        await IdentityService(clerk.connection).user_of(token, now=later)
    opened = await clerk.type_code(token, clerk.app.at(later), now=later)
    assert isinstance(opened, LoggedIn)
    assert (await IdentityService(clerk.connection).user_of(opened.token, now=later)).duty is None
    assert await clerk.type_code(token, clerk.app.at(later), now=later) == LoginStepEnded()


async def test_setting_up_ends_every_other_session_and_asks_for_the_password(clerk: Clerk) -> None:
    identity = IdentityService(clerk.connection)
    other = await identity.log_in(username="clerk", password=clerk.made.password, now=NOW)
    assert isinstance(other, LoggedIn)

    refused = await clerk.own.begin("wrong", origin=HERE, now=NOW)
    await clerk.set_up(now=NOW)

    assert refused == LoginRefused()
    with pytest.raises(SessionInvalidError):
        await identity.user_of(other.token, now=NOW)
    assert (await identity.user_of(clerk.session.token, now=NOW)).username == "clerk"


async def test_a_code_is_taken_once_and_none_before_it_afterwards(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    later = NOW + timedelta(minutes=1)
    code, earlier = clerk.app.at(later), clerk.app.at(later - timedelta(seconds=30))
    first = await clerk.type_code(await clerk.step(now=later), code, now=later)

    again = [
        await clerk.type_code(await clerk.step(now=later), each, now=later)
        for each in (code, earlier)
    ]

    assert isinstance(first, LoggedIn)
    assert again == [LoginRefused(), LoginRefused()]


async def test_a_clock_one_step_off_signs_in_and_one_two_steps_off_does_not(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    outcomes = []
    for minutes, skew_s in ((2, -60), (4, -30), (6, 0), (8, 30), (10, 60)):
        now = NOW + timedelta(minutes=minutes)
        code = clerk.app.at(now + timedelta(seconds=skew_s))
        outcome = await clerk.type_code(await clerk.step(now=now), code, now=now)
        outcomes.append(isinstance(outcome, LoggedIn))

    assert outcomes == [False, True, True, True, False]


async def test_a_recovery_code_opens_one_session_and_is_kept_as_a_hash(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    code = clerk.codes[3]

    first = await clerk.type_code(await clerk.step(now=NOW), code.lower(), now=NOW)
    again = await clerk.type_code(await clerk.step(now=NOW), code, now=NOW)

    assert isinstance(first, LoggedIn)
    assert again == LoginRefused()
    assert (await clerk.own.overview()).recovery_codes_left == len(clerk.codes) - 1 == 9
    rows = await clerk.connection.execute("SELECT proof FROM app_session ORDER BY created_at")
    assert (Proof.RECOVERY_CODE.value,) in await rows.fetchall()
    kept = await clerk.connection.execute(
        "SELECT code_hash, sealed FROM recovery_code, one_time_secret"
    )
    for code_hash, sealed in await kept.fetchall():
        assert len(code_hash) == 32
        assert clerk.app.byte_secret() not in sealed


async def test_a_step_ends_with_its_time_and_with_too_many_wrong_codes(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    token, stale = await clerk.step(now=NOW), await clerk.step(now=NOW)

    wrong = [await clerk.type_code(token, WRONG, now=NOW) for _ in range(STEP_FAILURES_MAX)]
    after = await clerk.type_code(token, clerk.codes[0], now=NOW)
    late = await clerk.type_code(stale, clerk.codes[0], now=NOW + STEP_LASTS)

    assert wrong == [LoginRefused()] * STEP_FAILURES_MAX
    assert after == late == LoginStepEnded()


async def test_a_right_password_between_wrong_codes_does_not_shorten_the_delay(
    clerk: Clerk,
) -> None:
    await clerk.set_up(now=NOW)
    for _ in range(5):
        await clerk.type_code(await clerk.step(now=NOW), WRONG, now=NOW)

    outcome = await IdentityService(clerk.connection).log_in(
        username="clerk", password=clerk.made.password, origin=HERE, now=NOW
    )

    assert isinstance(outcome, LoginDelayed)


async def test_somebody_shut_out_between_password_and_code_stays_out(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    token = await clerk.step(now=NOW)
    people = UserAdministration(clerk.connection, actor=ACTOR)
    await people.switch("clerk", UserState.DISABLED, now=NOW)

    assert await clerk.type_code(token, clerk.codes[0], now=NOW) == LoginStepEnded()


async def test_a_factor_is_taken_away_with_password_and_code_only(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    right, code = clerk.made.password, clerk.codes[0]

    refused = [
        await clerk.own.remove(Reproof(password=password, code=typed), origin=HERE, now=NOW)
        for password, typed in (("wrong", code), (right, WRONG))
    ]
    removed = await clerk.own.remove(Reproof(password=right, code=code), origin=HERE, now=NOW)

    assert refused == [LoginRefused(), FactorRefused(fault=FactorFault.WRONG_CODE)]
    assert removed == FactorRemoved()
    assert (await clerk.own.overview()).recovery_codes_left == 0
    outcome = await IdentityService(clerk.connection).log_in(
        username="clerk", password=right, now=NOW
    )
    assert isinstance(outcome, LoggedIn)


async def test_new_recovery_codes_end_the_old_ones(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    reproof = Reproof(password=clerk.made.password, code=clerk.codes[0])

    fresh = await clerk.own.new_recovery_codes(reproof, origin=HERE, now=NOW)

    assert isinstance(fresh, RecoveryCodes)
    assert not set(fresh.codes) & set(clerk.codes)
    old = await clerk.type_code(await clerk.step(now=NOW), clerk.codes[1], now=NOW)
    new = await clerk.type_code(await clerk.step(now=NOW), fresh.codes[1], now=NOW)
    assert old == LoginRefused()
    assert isinstance(new, LoggedIn)


async def test_a_secret_that_nobody_confirmed_asks_nothing_and_expires(clerk: Clerk) -> None:
    begun = await clerk.own.begin(clerk.made.password, origin=HERE, now=NOW)
    assert isinstance(begun, Setup)
    late = NOW + SETUP_LASTS + timedelta(seconds=1)

    wrong = await clerk.own.confirm("000000x", now=NOW)
    expired = await clerk.own.confirm(TOTP(begun.secret).at(late), now=late)

    assert wrong == FactorRefused(fault=FactorFault.WRONG_CODE)
    assert expired == FactorRefused(fault=FactorFault.NOT_BEGUN)
    outcome = await IdentityService(clerk.connection).log_in(
        username="clerk", password=clerk.made.password, now=late
    )
    assert isinstance(outcome, LoggedIn)


async def test_a_role_that_needs_a_factor_leads_its_holders_to_it_until_they_have_one(
    clerk: Clerk,
) -> None:
    factors = FactorAdministration(clerk.connection, actor=ACTOR)
    identity = IdentityService(clerk.connection)
    token = clerk.session.token

    await factors.require_of([Role.CLERK, Role.APPROVER], now=NOW)
    before = (await identity.user_of(token, now=NOW)).duty
    await clerk.set_up(now=NOW)
    after = (await identity.user_of(token, now=NOW)).duty

    assert (before, after) == (Duty.ADD_SECOND_FACTOR, None)
    assert await factors.roles() == {Role.CLERK, Role.APPROVER}
    await factors.require_of([Role.APPROVER], now=NOW)
    assert await factors.roles() == {Role.APPROVER}
    with pytest.raises(RoleNotAssignableError):  # programs have keys, demonstrations no secrets
        await factors.require_of([Role.API_CLIENT], now=NOW)


async def test_a_lost_factor_is_forgotten_when_somebody_says_how_the_person_was_recognised(
    clerk: Clerk,
) -> None:
    await clerk.set_up(now=NOW)
    factors = FactorAdministration(clerk.connection, actor=ACTOR)
    waiting = await clerk.step(now=NOW)

    for proof in ("", "  known   ", "x" * 201):
        with pytest.raises(IdentityProofMissingError):
            await factors.reset("clerk", proof=proof, now=NOW)
    kept = await clerk.own.overview()
    await factors.reset("clerk", proof="came in person with the staff card", now=NOW)

    assert kept.app_added_at == NOW
    assert (await factors.overview(clerk.session.user.id)).app_added_at is None
    with pytest.raises(SessionInvalidError):
        await IdentityService(clerk.connection).user_of(clerk.session.token, now=NOW)
    assert await clerk.type_code(waiting, clerk.codes[0], now=NOW) == LoginStepEnded()
    page = await AuditService(clerk.connection).entries(
        AuditFilter(action="second_factor_reset"), before_id=None, size=10
    )
    (written,) = (each.entry for each in page.entries)
    assert written.detail == {"proof": "came in person with the staff card"}


async def test_nobody_resets_the_own_factor_and_only_who_manages_users_resets_any(
    clerk: Clerk,
) -> None:
    proof = "came in person with the staff card"
    user = clerk.session.user
    chief = replace(user, role=Role.ADMINISTRATOR)

    with pytest.raises(OwnAccountError):
        await FactorAdministration(clerk.connection, actor=ACTOR, user=chief).reset(
            "clerk", proof=proof, now=NOW
        )
    for asked in (
        FactorAdministration(clerk.connection, actor=ACTOR, user=user).roles(),
        FactorAdministration(clerk.connection, actor=ACTOR, user=user).reset(
            "other", proof=proof, now=NOW
        ),
    ):
        with pytest.raises(PermissionDeniedError):
            await asked


async def test_a_new_first_password_does_not_go_round_the_second_factor(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    people = UserAdministration(clerk.connection, actor=ACTOR)

    given = await people.reset_password("clerk", now=NOW)

    outcome = await IdentityService(clerk.connection).log_in(
        username="clerk", password=given.password, now=NOW
    )
    assert isinstance(outcome, SecondFactorNeeded)


async def test_without_the_right_key_no_app_lets_in_and_recovery_codes_still_do(
    clerk: Clerk,
) -> None:
    await clerk.set_up(now=NOW)
    later = NOW + timedelta(minutes=1)
    token = await clerk.step(now=later)

    for seal in (None, SecretSeal.of_text("x" * 43)):
        with pytest.raises(SecondFactorOffError):
            await LoginSteps(clerk.connection, seal=seal).finish(
                token, clerk.app.at(later), origin=HERE, old_token=None, now=later
            )
    with pytest.raises(SecondFactorOffError):
        await clerk.own_with(None).begin(clerk.made.password, origin=HERE, now=later)
    opened = await LoginSteps(clerk.connection, seal=None).finish(
        token, clerk.codes[0], origin=HERE, old_token=None, now=later
    )
    assert isinstance(opened, LoggedIn)


async def test_every_change_of_a_factor_is_in_the_log_and_no_secret_is(clerk: Clerk) -> None:
    await clerk.set_up(now=NOW)
    password = clerk.made.password
    first, second = (Reproof(password=password, code=code) for code in clerk.codes[:2])
    fresh = await clerk.own.new_recovery_codes(first, origin=HERE, now=NOW)
    assert isinstance(fresh, RecoveryCodes)
    last = Reproof(password=second.password, code=fresh.codes[0])
    await clerk.own.remove(last, origin=HERE, now=NOW)

    page = await AuditService(clerk.connection).entries(AuditFilter(), before_id=None, size=50)

    actions = [entry.entry.action for entry in page.entries]
    assert {"second_factor_added", "recovery_codes_made", "second_factor_removed"} <= set(actions)
    for secret in (clerk.app.secret, *clerk.codes, *fresh.codes):
        assert secret not in str(page)
