# SPDX-License-Identifier: AGPL-3.0-or-later
"""The provider as this centre calls it: its addresses, its keys, and what it gives for a code.

Every answer is bounded in time and size, and no redirect is followed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ssl import create_default_context
from typing import Final
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from central.errors import SettingsError
from central.identity.outside.errors import OutsideRefusedError
from central.identity.outside.settings import OutsideSettings, may_be_called
from central.identity.outside.tokens import Expected, KeyMissingError, person_of
from central.identity.outside.types import BegunLogin, OutsideFault, OutsidePerson
from central.settings import read_secret

ANSWER_BYTES_MAX: Final = 256 * 1024
CODE_LENGTH_MAX: Final = 4096
KEPT_FOR: Final = timedelta(hours=1)
"""How long addresses and keys are kept. Higher: fewer questions, later news of withdrawn keys."""

KEYS_AGAIN_AFTER: Final = timedelta(minutes=1)
"""How soon unknown keys are asked for again, so that made-up ones cost the provider nothing."""

RETURN_PATH: Final = "/console/login/outside/return"
AFTER_SIGN_OUT_PATH: Final = "/console/login"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Addresses of the provider that are used here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    takes_secret_in_body: bool
    names_issuer_in_answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAnswer:
    """What a browser brought back from the provider.

    Attributes:
        issuer: Who answers, if the answer says so (RFC 9207).
    """

    code: str | None
    error: str | None
    issuer: str | None


class OutsideProvider:
    """One provider, for as long as the process lives.

    Args:
        settings: With an issuer.
        secret: Shared with the provider.
        client: Makes the calls; belongs to the caller.
    """

    def __init__(
        self, settings: OutsideSettings, *, secret: str, client: httpx.AsyncClient
    ) -> None:
        if settings.issuer is None or settings.console_url is None:
            raise SettingsError("signing in by a provider needs an issuer and a console_url")
        self.issuer = settings.issuer
        self.names = settings.names
        self._settings = settings
        self._return_url = settings.console_url + RETURN_PATH
        self._after_sign_out_url = settings.console_url + AFTER_SIGN_OUT_PATH
        self._secret = secret
        self._client = client
        self._lock = asyncio.Lock()
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def departure_url(self, begun: BegunLogin, *, now: datetime) -> str:
        """Where to send a browser.

        Raises:
            OutsideRefusedError: The provider can't be reached or says nonsense.
        """
        metadata = await self._known_metadata(now=now)
        more = {"prompt": "login"} if begun.linking_user_id is not None else {}
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._return_url,
            scope="openid",
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.code_verifier),
            code_challenge_method="S256",
            **more,
        )
        return url

    async def person(
        self, answer: ReturnAnswer, begun: BegunLogin, *, now: datetime
    ) -> OutsidePerson:
        """Who came back, after everything about the answer was checked.

        Raises:
            OutsideRefusedError: The person cancelled, or something does not hold.
        """
        metadata = await self._known_metadata(now=now)
        is_named = answer.issuer is not None or metadata.names_issuer_in_answer
        if is_named and answer.issuer != self.issuer:
            raise OutsideRefusedError(OutsideFault.NOT_TRUSTED, "issuer of the answer")
        if answer.error is not None:
            is_own_wish = answer.error == "access_denied"
            fault = OutsideFault.CANCELLED if is_own_wish else OutsideFault.REFUSED
            raise OutsideRefusedError(fault, "answer of the provider")
        if not answer.code or len(answer.code) > CODE_LENGTH_MAX:
            raise OutsideRefusedError(OutsideFault.REFUSED, "no code")
        given = await self._redeem(answer.code, begun, metadata)
        id_token, access_token = given.get("id_token"), given.get("access_token")
        if not isinstance(id_token, str):
            raise OutsideRefusedError(OutsideFault.REFUSED, "no id_token")
        expected = Expected(
            issuer=self.issuer,
            client_id=self._settings.client_id,
            nonce=begun.nonce,
            access_token=access_token if isinstance(access_token, str) else None,
            leeway=self._settings.clock_leeway,
            second_factor_values=self._settings.second_factor_values,
        )
        return await self._checked(id_token, expected, metadata, now=now)

    async def sign_out_url(self, *, now: datetime) -> str | None:
        """Where somebody ends the session at the provider, too; ``None`` when it has no such page.

        Raises:
            OutsideRefusedError: The provider can't be reached or says nonsense.
        """
        endpoint = (await self._known_metadata(now=now)).end_session_endpoint
        if endpoint is None:
            return None
        asked = {
            "client_id": self._settings.client_id,
            "post_logout_redirect_uri": self._after_sign_out_url,
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def _checked(
        self, id_token: str, expected: Expected, metadata: Metadata, *, now: datetime
    ) -> OutsidePerson:
        """The person of a token; keys are asked for once more when they may have changed."""
        keys = await self._known_keys(metadata, kept_for=KEPT_FOR, now=now)
        try:
            return person_of(id_token, keys, expected, now=now)
        except KeyMissingError:
            keys = await self._known_keys(metadata, kept_for=KEYS_AGAIN_AFTER, now=now)
        try:
            return person_of(id_token, keys, expected, now=now)
        except KeyMissingError as error:
            raise OutsideRefusedError(OutsideFault.NOT_TRUSTED, "unknown key") from error

    async def _redeem(
        self, code: str, begun: BegunLogin, metadata: Metadata
    ) -> Mapping[str, object]:
        """What the provider gives for a code."""
        body: str = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=self._return_url,
            code_verifier=begun.code_verifier,
        )
        method = "client_secret_post" if metadata.takes_secret_in_body else "client_secret_basic"
        auth = ClientAuth(self._settings.client_id, self._secret, method)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = auth.prepare("POST", metadata.token_endpoint, headers, body)
        return await self._asked(
            self._client.build_request("POST", url, headers=headers, content=body)
        )

    async def _known_metadata(self, *, now: datetime) -> Metadata:
        """Addresses of the provider, asked for now and then."""
        async with self._lock:
            if self._metadata is None or not _is_fresh(self._metadata[0], KEPT_FOR, now=now):
                url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
                said = await self._asked(self._client.build_request("GET", url))
                self._metadata = now, _metadata(said, issuer=self.issuer)
            return self._metadata[1]

    async def _known_keys(
        self, metadata: Metadata, *, kept_for: timedelta, now: datetime
    ) -> KeySet:
        """Public keys of the provider."""
        async with self._lock:
            if self._keys is None or not _is_fresh(self._keys[0], kept_for, now=now):
                said = await self._asked(self._client.build_request("GET", metadata.jwks_uri))
                self._keys = now, _key_set(said)
            return self._keys[1]

    async def _asked(self, request: httpx.Request) -> Mapping[str, object]:
        """The provider's answer to one request."""
        request.headers["Accept"] = "application/json"
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                response = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    body = await _bounded(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise OutsideRefusedError(OutsideFault.UNREACHABLE, type(error).__name__) from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise OutsideRefusedError(OutsideFault.UNREACHABLE, f"status {response.status_code}")
        if response.status_code != httpx.codes.OK:
            raise OutsideRefusedError(OutsideFault.REFUSED, f"status {response.status_code}")
        try:
            said = json.loads(body)
        except ValueError as error:
            raise OutsideRefusedError(OutsideFault.REFUSED, "no JSON") from error
        if not isinstance(said, dict):
            raise OutsideRefusedError(OutsideFault.REFUSED, "no JSON object")
        return said


@asynccontextmanager
async def outside_provider(settings: OutsideSettings) -> AsyncIterator[OutsideProvider | None]:
    """The provider of the settings while the block lasts; ``None`` when there is none.

    Raises:
        SettingsError: The secret can't be read.
    """
    if settings.issuer is None or settings.client_secret_file is None:
        yield None
        return
    secret = read_secret(settings.client_secret_file)
    authorities = str(settings.ca_file) if settings.ca_file is not None else None
    async with httpx.AsyncClient(
        timeout=settings.timeout.total_seconds(),
        verify=create_default_context(cafile=authorities),
        trust_env=False,
    ) as client:
        yield OutsideProvider(settings, secret=secret, client=client)


async def _bounded(response: httpx.Response) -> bytes:
    """The body of an answer, unless it is too long."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise OutsideRefusedError(OutsideFault.REFUSED, "too long an answer")
    return bytes(body)


def _is_fresh(kept_at: datetime, kept_for: timedelta, *, now: datetime) -> bool:
    """Whether something that was kept is still good."""
    return timedelta(0) <= now - kept_at < kept_for


def _key_set(said: Mapping[str, object]) -> KeySet:
    """Keys as the provider lists them."""
    try:
        # The library checks the shape itself; its type names every field of every kind of key.
        return KeySet.import_key_set(said)  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise OutsideRefusedError(OutsideFault.REFUSED, "keys") from error


def _metadata(said: Mapping[str, object], *, issuer: str) -> Metadata:
    """What the provider says of itself, if it is who it should be and its links are protected."""
    if said.get("issuer") != issuer:
        raise OutsideRefusedError(OutsideFault.NOT_TRUSTED, "issuer of the provider")
    end_session = said.get("end_session_endpoint")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        authorization_endpoint=_link(said.get("authorization_endpoint")),
        token_endpoint=_link(said.get("token_endpoint")),
        jwks_uri=_link(said.get("jwks_uri")),
        end_session_endpoint=None if end_session is None else _link(end_session),
        takes_secret_in_body=isinstance(methods, list) and "client_secret_basic" not in methods,
        names_issuer_in_answer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _link(url: object) -> str:
    """An address that the provider names."""
    if not isinstance(url, str) or not may_be_called(url):
        raise OutsideRefusedError(OutsideFault.NOT_TRUSTED, "address of the provider")
    return url
