# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the client's calls travel: key, time-outs, and errors as one exception with a stable code."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import httpx

TIMEOUT_S: Final = 30.0
PROBLEM: Final = "application/problem+json"

Scalar = str | int | bool
Query = Mapping[str, Scalar | Sequence[str] | None]


class ApiProblemError(Exception):
    """The api refused a call. Decide by ``code``; ``wait_s`` is set when it says to wait."""

    def __init__(self, *, status: int, code: str, request_id: str, wait_s: int | None) -> None:
        super().__init__(f"{status} {code} (request {request_id})")
        self.status = status
        self.code = code
        self.request_id = request_id
        self.wait_s = wait_s


class Transport:
    """A link to one server with one key; close it, or use it in a ``with`` block.

    Args:
        base_url: Address of the server, such as ``https://giaothong.example.vn``.
        key: The program's key, from its secret file.
        timeout_s: Longest wait for an answer.
        verify: Certificates of the server's authority; the system's when absent.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_s,
            verify=verify,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the link."""
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: object = None,
    ) -> httpx.Response:
        """Send one request; parts that are ``None`` are left out.

        Raises:
            ApiProblemError: The api refused it.
            httpx.HTTPError: The server was not reached.
        """
        response = self._http.request(
            method,
            path,
            params={name: value for name, value in (query or {}).items() if value is not None},
            headers={name: value for name, value in (headers or {}).items() if value is not None},
            json=body,
        )
        if response.is_success:
            return response
        raise _problem(response)


def _problem(response: httpx.Response) -> ApiProblemError:
    """The refusal in an answer; something between us and the server may have made another one."""
    is_ours = response.headers.get("content-type", "").startswith(PROBLEM)
    told = response.json() if is_ours else {}
    wait = response.headers.get("retry-after", "")
    return ApiProblemError(
        status=response.status_code,
        code=str(told.get("code", "unexpected-answer")),
        request_id=str(told.get("request_id", "")),
        wait_s=int(wait) if wait.isdigit() else None,
    )
