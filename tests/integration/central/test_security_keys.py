# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security keys from being added to being taken away, and whose answers are refused."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest
from pyotp import TOTP

from central.audit.service import AuditService
from central.audit.types import Actor, AuditFilter
from central.errors import SessionInvalidError
from central.identity.login_steps import LoginStepRepository, NewStep
from central.identity.passwords import hashed
from central.identity.permissions import Role
from central.identity.repository import IdentityRepository
from central.identity.second_factor.administration import FactorAdministration
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.service import OwnSecondFactor
from central.identity.second_factor.steps import LoginSteps
from central.identity.second_factor.types import (
    FactorRemoved,
    LoginStepEnded,
    RecoveryCodes,
    Reproof,
    Setup,
    StepOutcome,
)
from central.identity.second_factor.waiting import STEP_FAILURES_MAX
from central.identity.security_keys.ceremonies import KeyCeremonies
from central.identity.security_keys.challenges import CHALLENGE_LASTS, new_challenge
from central.identity.security_keys.repository import KEYS_MAX, KeyRepository
from central.identity.security_keys.service import OwnSecurityKeys
from central.identity.security_keys.steps import KeySteps
from central.identity.security_keys.types import (
    KeyAdded,
    KeyChanged,
    KeyFault,
    KeyQuestion,
    KeyRefused,
    KeySite,
)
from central.identity.service import STEP_LASTS, STEPS_MAX, IdentityService, token_hash
from central.identity.types import (
    Duty,
    LoggedIn,
    LoginDelayed,
    LoginOutcome,
    LoginRefused,
    Origin,
    Proof,
    SecondFactorNeeded,
    User,
)
from tests.fixtures.authenticator import SoftwareKey, new_private_key

NOW: Final = datetime(2026, 3, 1, 8, 0, 10, tzinfo=UTC)
ACTOR: Final = Actor.command("test")
HERE: Final = Origin(client="192.0.2.7", browser="Firefox")
SEAL: Final = SecretSeal.of_text("k" * 43)
CONSOLE: Final = "https://console.example"
PASSWORD: Final = "four words of a test"
PROOF: Final = "came in person with the staff card"


def site_of(url: str) -> KeySite:
    """The site at an address that fits keys."""
    site = KeySite.of_url(url)
    assert site is not None
    return site


SITE: Final = site_of(CONSOLE)


@dataclass(kw_only=True)
class Clerk:
    """Somebody with an account, and with keys as the tests add them."""

    connection: psycopg.AsyncConnection
    session: LoggedIn

    @property
    def user(self) -> User:
        return self.session.user

    @property
    def keys(self) -> OwnSecurityKeys:
        """The keys as their owner has them."""
        return self.keys_at(SITE)

    def keys_at(self, site: KeySite | None) -> OwnSecurityKeys:
        """The same at an api with another address or none."""
        return OwnSecurityKeys(
            self.connection, user=self.user, token=self.session.token, actor=ACTOR, site=site
        )

    @property
    def factor(self) -> OwnSecondFactor:
        """The app and the recovery codes of the same person."""
        return OwnSecondFactor(
            self.connection, user=self.user, token=self.session.token, actor=ACTOR, seal=SEAL
        )

    async def question(self) -> str:
        """What a new key is asked."""
        begun = await self.keys.begin("usb", PASSWORD, origin=HERE, now=NOW)
        assert isinstance(begun, KeyQuestion), begun
        return begun.options

    async def add(self, key: SoftwareKey) -> KeyAdded:
        """Add a key as its owner does."""
        added = await self.keys.add("usb", key.create(await self.question()), now=NOW)
        assert isinstance(added, KeyAdded), added
        return added

    async def has(self, key: SoftwareKey, name: str = "usb") -> UUID:
        """Add a key without being asked for the password, which is slow on purpose."""
        ceremonies, challenge = KeyCeremonies(SITE), new_challenge(now=NOW)
        options = ceremonies.creation(
            handle=uuid4(), username="clerk", known_ids=(), challenge=challenge
        )
        credential = ceremonies.created(key.create(options), challenge=challenge)
        assert credential is not None
        key_id = await KeyRepository(self.connection).add(
            self.user.id, credential, name=name, now=NOW
        )
        assert key_id is not None
        return key_id

    async def step(self, *, now: datetime = NOW) -> str:
        """A login whose password was right."""
        token = token_urlsafe()
        step = NewStep(
            token_hash=token_hash(token),
            user_id=self.user.id,
            opened_at=now,
            expires_at=now + STEP_LASTS,
        )
        await LoginStepRepository(self.connection).add_step(step, steps_max=STEPS_MAX)
        return token

    async def asked(self, token: str, *, now: datetime = NOW) -> str:
        """What the keys are asked for a login."""
        question = await KeySteps(self.connection, site=SITE).ask(token, now=now)
        assert question is not None
        return question.options

    async def send(self, token: str, answer: str, *, now: datetime = NOW) -> StepOutcome:
        """Send an answer of a key."""
        return await KeySteps(self.connection, site=SITE).finish(
            token, answer, origin=HERE, old_token=None, now=now
        )

    async def sign_in(self, key: SoftwareKey, *, now: datetime = NOW) -> StepOutcome:
        """Take the second step with a key."""
        token = await self.step(now=now)
        return await self.send(token, key.sign(await self.asked(token, now=now)), now=now)

    async def type_code(self, token: str, code: str, *, now: datetime = NOW) -> StepOutcome:
        """The second step with a code instead."""
        return await LoginSteps(self.connection, seal=SEAL).finish(
            token, code, origin=HERE, old_token=None, now=now
        )

    async def log_in(self) -> LoginOutcome:
        """The first step, with the right password."""
        return await IdentityService(self.connection).log_in(
            username="clerk", password=PASSWORD, origin=HERE, now=NOW
        )

    async def actions(self) -> list[str]:
        """What the audit log says, oldest first."""
        page = await AuditService(self.connection).entries(AuditFilter(), before_id=None, size=99)
        return [each.entry.action for each in reversed(page.entries)]


@pytest.fixture(scope="module")
def password_hash() -> str:
    """Hash of everybody's password here, made once: that is slow on purpose."""
    return hashed(PASSWORD)


@pytest.fixture
async def clerk(connection: psycopg.AsyncConnection, password_hash: str) -> Clerk:
    accounts = IdentityRepository(connection)
    await accounts.add_user(
        username="clerk",
        display_name="Một cửa",
        password_hash=password_hash,
        role=Role.CLERK,
        first_password_until=None,
        now=NOW,
    )
    account = await accounts.locked_account("clerk")
    assert account is not None
    session = await IdentityService(connection).open_session(
        account.user, proof=Proof.PASSWORD, origin=HERE, now=NOW
    )
    return Clerk(connection=connection, session=session)


@pytest.fixture
def key() -> SoftwareKey:
    return SoftwareKey(origin=CONSOLE)


async def test_with_a_key_a_password_alone_opens_no_session_and_the_key_does(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)

    needed = await clerk.log_in()

    assert isinstance(needed, SecondFactorNeeded)
    assert needed.has_security_key
    with pytest.raises(SessionInvalidError):  # the step's token is no session's
        await IdentityService(clerk.connection).user_of(needed.token, now=NOW)
    opened = await clerk.send(needed.token, key.sign(await clerk.asked(needed.token)))
    assert isinstance(opened, LoggedIn)
    assert (await IdentityService(clerk.connection).user_of(opened.token, now=NOW)).duty is None
    kept = await clerk.connection.execute(
        "SELECT proof, sign_count, security_key.last_used_at"
        "  FROM app_session, security_key ORDER BY app_session.proof DESC LIMIT 1"
    )
    assert await kept.fetchall() == [("security_key", 1, NOW)]


async def test_a_new_key_is_asked_for_no_more_than_needed_and_not_twice(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)

    question = await clerk.question()

    asked = json.loads(question)
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["userVerification"] == "preferred"
    assert asked["rp"] == {"id": "console.example", "name": "Lưu Thông"}
    assert asked["user"]["name"] == asked["user"]["displayName"] == "clerk"
    known = json.loads(key.create(question))["id"]
    assert [each["id"] for each in asked["excludeCredentials"]] == [known]
    again = await clerk.keys.add("usb", key.create(question), now=NOW)
    assert again == KeyRefused(fault=KeyFault.NOT_PROVEN)


async def test_adding_a_key_asks_for_the_password_and_ends_every_other_session(
    clerk: Clerk, key: SoftwareKey
) -> None:
    identity = IdentityService(clerk.connection)
    other = await identity.open_session(clerk.user, proof=Proof.PASSWORD, origin=HERE, now=NOW)

    refused = await clerk.keys.begin("usb", "wrong", origin=HERE, now=NOW)
    unasked = await clerk.keys.add("usb", "{}", now=NOW)
    added = await clerk.add(key)

    assert refused == LoginRefused()
    assert unasked == KeyRefused(fault=KeyFault.NOT_BEGUN)
    with pytest.raises(SessionInvalidError):
        await identity.user_of(other.token, now=NOW)
    assert (await identity.user_of(clerk.session.token, now=NOW)).username == "clerk"
    assert added.codes is not None  # for the day on which the key is lost
    opened = await clerk.type_code(await clerk.step(), added.codes.codes[0])
    assert isinstance(opened, LoggedIn)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://console.example.evil", None),
        ("http://console.example", None),
        (CONSOLE, "evil.example"),
    ],
)
async def test_a_key_that_was_asked_at_another_place_proves_nothing(
    clerk: Clerk, key: SoftwareKey, origin: str, host: str | None
) -> None:
    await clerk.has(key)
    fooled = replace(key, origin=origin, host=host)
    challenge = new_challenge(now=NOW)
    question = KeyCeremonies(SITE).creation(
        handle=uuid4(), username="clerk", known_ids=(), challenge=challenge
    )

    outcome = await clerk.sign_in(fooled)

    assert outcome == LoginRefused()
    assert KeyCeremonies(SITE).created(key.create(question), challenge=challenge) is not None
    assert KeyCeremonies(SITE).created(fooled.create(question), challenge=challenge) is None


async def test_an_answer_is_looked_at_once_and_only_in_its_own_login(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)
    token, other = await clerk.step(), await clerk.step()
    answer = key.sign(await clerk.asked(token))
    await clerk.asked(other)

    elsewhere = await clerk.send(other, answer)
    without_question = await clerk.send(other, answer)
    await clerk.asked(token)
    stale = await clerk.send(token, answer)
    last = key.sign(await clerk.asked(token))
    opened = await clerk.send(token, last)
    replayed = await clerk.send(token, last)

    assert elsewhere == without_question == stale == LoginRefused()
    assert isinstance(opened, LoggedIn)
    assert replayed == LoginStepEnded()


async def test_questions_grow_old(clerk: Clerk, key: SoftwareKey) -> None:
    question = await clerk.question()
    late = NOW + CHALLENGE_LASTS

    added = await clerk.keys.add("usb", key.create(question), now=late)

    assert added == KeyRefused(fault=KeyFault.NOT_BEGUN)
    await clerk.has(key)
    token = await clerk.step()
    answer = key.sign(await clerk.asked(token))
    assert await clerk.send(token, answer, now=NOW + STEP_LASTS) == LoginStepEnded()


async def test_a_counter_that_goes_back_is_refused_and_written_down(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)
    copy = replace(key)
    assert isinstance(await clerk.sign_in(key), LoggedIn)

    refused = await clerk.sign_in(copy)  # says 1, as the key did
    forged = await clerk.sign_in(replace(copy, count=0, private=new_private_key()))
    right = await clerk.sign_in(key)

    assert refused == forged == LoginRefused()
    assert isinstance(right, LoggedIn)
    assert (await clerk.actions()).count("security_key_counter_went_back") == 1


async def test_a_key_without_a_counter_signs_in_again_and_again(clerk: Clerk) -> None:
    passkey = SoftwareKey(origin=CONSOLE, count=None)
    await clerk.has(passkey)

    outcomes = [await clerk.sign_in(passkey) for _ in range(2)]

    assert all(isinstance(each, LoggedIn) for each in outcomes)


async def test_the_key_of_somebody_else_and_a_key_taken_away_open_nothing(
    clerk: Clerk, key: SoftwareKey
) -> None:
    gone, stranger = SoftwareKey(origin=CONSOLE), SoftwareKey(origin=CONSOLE)
    await clerk.has(key)
    old = await clerk.has(gone, "old")

    wrong = await clerk.keys.remove(old, "wrong", origin=HERE, now=NOW)
    unknown = await clerk.keys.remove(uuid4(), PASSWORD, origin=HERE, now=NOW)
    removed = await clerk.keys.remove(old, PASSWORD, origin=HERE, now=NOW)

    assert wrong == LoginRefused()
    assert unknown == KeyRefused(fault=KeyFault.NOT_THERE)
    assert removed == KeyChanged()
    assert [each.name for each in await clerk.keys.keys()] == ["usb"]
    assert await clerk.sign_in(gone) == await clerk.sign_in(stranger) == LoginRefused()
    assert isinstance(await clerk.sign_in(key), LoggedIn)


async def test_nonsense_instead_of_an_answer_is_refused(clerk: Clerk, key: SoftwareKey) -> None:
    await clerk.has(key)
    ceremonies, challenge = KeyCeremonies(SITE), new_challenge(now=NOW)
    right = json.loads(key.sign(await clerk.asked(await clerk.step())))

    for nonsense in (
        "",
        "null",
        "{}",
        "é",
        "[" * 8000,
        '{"id": 1}',
        '{"id": "a", "rawId": "b", "response": {}}',
        json.dumps(right | {"response": {"clientDataJSON": "e30", "attestationObject": "oA"}}),
        json.dumps(right | {"response": right["response"] | {"authenticatorData": "AA"}}),
        json.dumps(right | {"response": right["response"] | {"clientDataJSON": "WzFd"}}),
        json.dumps(right | {"padding": "x" * 9000}),
    ):
        token = await clerk.step()
        await clerk.asked(token)
        assert ceremonies.created(nonsense, challenge=challenge) is None, nonsense
        assert not isinstance(await clerk.send(token, nonsense), LoggedIn), nonsense


async def test_of_many_logins_that_wait_the_one_just_begun_is_never_the_one_that_ends(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)
    for _ in range(3 * STEPS_MAX):
        behind = await clerk.step(now=NOW - timedelta(seconds=1))  # of a process whose clock is
        await clerk.asked(behind)  # there, or nothing would be asked
        await clerk.asked(await clerk.step())


async def test_wrong_answers_end_the_step_and_slow_the_account_down(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.has(key)
    token = await clerk.step()
    wrong = [await clerk.send(token, "{}") for _ in range(STEP_FAILURES_MAX)]

    after = await clerk.send(token, "{}")

    assert wrong == [LoginRefused()] * STEP_FAILURES_MAX
    assert after == LoginStepEnded()
    assert isinstance(await clerk.log_in(), LoginDelayed)


async def test_a_role_that_needs_a_factor_is_content_with_a_key_alone(
    clerk: Clerk, key: SoftwareKey
) -> None:
    identity = IdentityService(clerk.connection)
    await FactorAdministration(clerk.connection, actor=ACTOR).require_of([Role.CLERK], now=NOW)
    before = (await identity.user_of(clerk.session.token, now=NOW)).duty

    await clerk.has(key)

    assert before is Duty.ADD_SECOND_FACTOR
    assert (await identity.user_of(clerk.session.token, now=NOW)).duty is None


async def test_app_and_key_stand_side_by_side_and_codes_go_with_the_last_of_them(
    clerk: Clerk, key: SoftwareKey
) -> None:
    begun = await clerk.factor.begin(PASSWORD, origin=HERE, now=NOW)
    assert isinstance(begun, Setup)
    codes = await clerk.factor.confirm(TOTP(begun.secret).at(NOW), now=NOW)
    assert isinstance(codes, RecoveryCodes)
    later = NOW + timedelta(minutes=1)

    added = await clerk.add(key)
    by_app = await clerk.type_code(
        await clerk.step(now=later), TOTP(begun.secret).at(later), now=later
    )
    by_key = await clerk.sign_in(key, now=later)
    reproof = Reproof(password=PASSWORD, code=codes.codes[0])
    removed = await clerk.factor.remove(reproof, origin=HERE, now=later)
    left = await clerk.factor.overview()
    (kept,) = await clerk.keys.keys()
    await clerk.keys.remove(kept.id, PASSWORD, origin=HERE, now=later)

    assert added.codes is None  # those of the app hold
    assert isinstance(by_app, LoggedIn)
    assert isinstance(by_key, LoggedIn)
    assert removed == FactorRemoved()
    assert (left.app_added_at, left.recovery_codes_left, left.security_keys) == (None, 9, 1)
    overview = await clerk.factor.overview()
    assert (overview.recovery_codes_left, overview.has_any) == (0, False)


async def test_a_reset_forgets_keys_too(clerk: Clerk, key: SoftwareKey) -> None:
    await clerk.has(key)
    factors = FactorAdministration(clerk.connection, actor=ACTOR)
    before = await factors.overview_of("clerk")

    await factors.reset("clerk", proof=PROOF, now=NOW)

    assert before.security_keys == 1
    assert not (await factors.overview_of("clerk")).has_any
    assert isinstance(await clerk.log_in(), LoggedIn)


async def test_names_are_kept_within_bounds_and_keys_too(clerk: Clerk) -> None:
    bad = [
        await clerk.keys.begin(name, PASSWORD, origin=HERE, now=NOW)
        for name in ("", "   ", "x" * 61, "a\nb")
    ]
    first, *_ = [await clerk.has(SoftwareKey(origin=CONSOLE)) for _ in range(KEYS_MAX)]

    full = await clerk.keys.begin("one more", PASSWORD, origin=HERE, now=NOW)
    renamed = await clerk.keys.rename(first, " bàn phím ", now=NOW)
    unknown = await clerk.keys.rename(uuid4(), "x", now=NOW)

    assert bad == [KeyRefused(fault=KeyFault.NAME)] * len(bad)
    assert full == KeyRefused(fault=KeyFault.TOO_MANY)
    assert renamed == KeyChanged()
    assert {each.id: each.name for each in await clerk.keys.keys()}[first] == "bàn phím"
    assert unknown == KeyRefused(fault=KeyFault.NOT_THERE)


async def test_without_an_address_no_key_is_added(clerk: Clerk) -> None:
    outcome = await clerk.keys_at(None).begin("usb", PASSWORD, origin=HERE, now=NOW)

    assert outcome == KeyRefused(fault=KeyFault.OFF)


async def test_every_change_of_a_key_is_in_the_log_with_its_id(
    clerk: Clerk, key: SoftwareKey
) -> None:
    await clerk.add(key)
    (kept,) = await clerk.keys.keys()
    await clerk.keys.rename(kept.id, "new name", now=NOW)
    await clerk.keys.remove(kept.id, PASSWORD, origin=HERE, now=NOW)

    page = await AuditService(clerk.connection).entries(AuditFilter(), before_id=None, size=50)

    written = {each.entry.action: each.entry.detail for each in page.entries}
    for action in ("security_key_added", "security_key_renamed", "security_key_removed"):
        assert written[action] == {"key": str(kept.id)}
