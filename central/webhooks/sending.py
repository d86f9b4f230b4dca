# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sending one message to one receiver, with limits on everything that the receiver decides.

No redirect is followed, no proxy of the environment is used, of the answer only the status is
read, and the certificate is checked against the host's name although the connection goes to an
address that was judged before.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from central.webhooks.addresses import (
    AddressRules,
    IpAddress,
    Resolver,
    addresses_of,
    target_of,
)
from central.webhooks.errors import AddressRefusedError
from central.webhooks.types import Attempt

CONNECT_TIMEOUT_S: Final = 2.0
ANSWER_TIMEOUT_S: Final = 5.0
"""Longest time for one attempt, from the first question to the DNS to the status. Higher: slower
receivers are forgiven, and one that hangs keeps one of the places for longer."""

ADDRESSES_TRIED_MAX: Final = 2
USER_AGENT: Final = "Luuthong-Webhooks/1"
_CAUSES_MAX: Final = 10


class NotConnectedError(Exception):
    """No address of the receiver answered; ``reason`` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason


async def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    rules: AddressRules,
    resolver: Resolver,
    ca_file: Path | None,
) -> Attempt:
    """Make one attempt; whatever goes wrong with the receiver is told in the answer."""
    started_s = time.monotonic()
    status: int | None = None
    failure: str | None
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            target = target_of(url, rules)
            addresses = await addresses_of(target, rules, resolver=resolver)
            status = await _post(url, body, headers, addresses=addresses, ca_file=ca_file)
        failure = _failure_of(status)
    except AddressRefusedError:
        failure = "address_refused"
    except NotConnectedError as error:
        failure = error.reason
    except (TimeoutError, httpx.TimeoutException):
        failure = "timeout"
    except (OSError, UnicodeError):
        failure = "no_such_host"
    except (httpx.RemoteProtocolError, httpx.InvalidURL):
        failure = "bad_answer"
    except httpx.HTTPError:
        failure = "unreachable"
    latency_ms = round((time.monotonic() - started_s) * 1000)
    return Attempt(status=status, failure=failure, latency_ms=latency_ms)


def _failure_of(status: int) -> str | None:
    """What is wrong with an answer."""
    if httpx.codes.is_success(status):
        return None
    return "redirected" if httpx.codes.is_redirect(status) else "refused"


async def _post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    addresses: Sequence[IpAddress],
    ca_file: Path | None,
) -> int:
    """Status of the answer of the first address that can be connected to.

    Raises:
        NotConnectedError: None of those that were tried can.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    asked = httpx.URL(url)
    reason = "unreachable"
    async with httpx.AsyncClient(
        verify=context,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
    ) as client:
        for address in addresses[:ADDRESSES_TRIED_MAX]:
            request = client.build_request(
                "POST",
                asked.copy_with(host=str(address)),
                content=body,
                headers={
                    **headers,
                    "Host": asked.netloc.decode("ascii"),
                    "User-Agent": USER_AGENT,
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                },
                extensions={"sni_hostname": asked.host},
            )
            try:
                response = await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                reason = _reason_of(error)
                continue
            await response.aclose()  # nobody reads the body
            return response.status_code
    raise NotConnectedError(reason)


def _reason_of(error: BaseException) -> str:
    """Why a connection was not made."""
    if isinstance(error, httpx.ConnectTimeout):
        return "timeout"
    cause: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if cause is None:
            break
        if isinstance(cause, ssl.SSLError):
            return "tls_failed"
        cause = cause.__cause__ or cause.__context__
    return "unreachable"
