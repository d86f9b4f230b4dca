# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gives and takes devices' accounts at a RabbitMQ cluster, while it runs.

The adapter around RabbitMQ's management interface. A device is let in when it has rights on the
virtual host; rights on topics are given before those, since a user without any may touch every
topic. Whatever ends an account ends its connections too: a node asks for rights only now and then.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx

from central.devices.broker_accounts import BrokerAccount
from central.devices.broker_rights import CONTROL_USERNAME, INGEST_USERNAME
from central.devices.rabbitmq.names import VHOST
from central.devices.rabbitmq.rights import (
    device_rights,
    hashed,
    permission_body,
    topic_permission_body,
)
from central.errors import BrokerControlError

TIMEOUT_S: Final = 10.0
_NOBODY_BY_PASSWORD: Final = {"password_hash": ""}
_OURS: Final = frozenset({CONTROL_USERNAME, INGEST_USERNAME})
_NOT_FOUND: Final = 404
_NOTHING: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementAccess:
    """How the cluster's accounts are reached.

    Attributes:
        urls: Management addresses of the nodes, tried in turn.
        secret: Of the control account.
        ca_file: Certificates to trust; ``None`` for plain links on the same machine.
    """

    urls: Sequence[str]
    secret: str = field(repr=False)
    username: str = CONTROL_USERNAME
    ca_file: Path | None = None


class RabbitAccounts:
    """A way to give and take accounts; used as a context manager."""

    def __init__(self, access: ManagementAccess) -> None:
        self._access = access
        self._client = httpx.Client(
            auth=(access.username, access.secret),
            verify=ssl.create_default_context(cafile=access.ca_file),
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def let_in(self, device_id: str, *, secret: str | None) -> None:
        """Give a device its account and rights; one that is there is put right.

        Args:
            device_id: Its user name.
            secret: Its new password, which ends a connection with the old one; ``None`` keeps the
                password, and leaves a new account with none: it comes by certificate then.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        user = f"users/{quote(device_id, safe='')}"
        rights = device_rights(device_id)
        kept = self._find(user) if secret is None else None
        password = _kept_password(kept) if secret is None else hashed(secret)
        self._ask("PUT", user, {"tags": [], **password})
        self._ask("PUT", f"topic-{_permission(device_id)}", topic_permission_body(rights))
        self._ask("PUT", _permission(device_id), permission_body(rights))
        if secret is not None:
            self._hang_up(device_id)

    def bar(self, device_id: str) -> None:
        """Take a device's rights and end its connection; unknown devices are barred anyway.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        self._ask("DELETE", _permission(device_id), may_be_absent=True)
        self._hang_up(device_id)

    def remove(self, device_id: str) -> None:
        """Forget a device's account with its rights.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        self._ask("DELETE", f"users/{quote(device_id, safe='')}", may_be_absent=True)
        self._hang_up(device_id)

    def accounts(self) -> Sequence[BrokerAccount]:
        """Every device's account, in the broker's order.

        Raises:
            BrokerControlError: The broker did not answer.
        """
        users = _rows(self._ask("GET", "users"))
        names = [str(each.get("name")) for each in users if not each.get("tags")]
        may = _by_user(self._ask("GET", f"vhosts/{VHOST}/permissions"))
        topics = _by_user(self._ask("GET", f"vhosts/{VHOST}/topic-permissions"))
        return [
            BrokerAccount(
                device_id=name,
                may_send=_holds(may.get(name), permission_body(device_rights(name)))
                and _holds(topics.get(name), topic_permission_body(device_rights(name))),
            )
            for name in names
            if name not in _OURS
        ]

    def _hang_up(self, device_id: str) -> None:
        path = f"connections/username/{quote(device_id, safe='')}"
        self._ask("DELETE", path, may_be_absent=True)

    def _find(self, path: str) -> Mapping[str, object] | None:
        found = self._ask("GET", path, may_be_absent=True)
        return found if isinstance(found, dict) else None

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] = _NOTHING,
        *,
        may_be_absent: bool = False,
    ) -> object:
        """The answer of the first node that gives one.

        Args:
            method: Of HTTP; asking twice does no harm with those in use.
            path: Below the interface's root.
            body: What to write.
            may_be_absent: Whether "not found" is as good as done.
        """
        for url in self._access.urls:
            try:
                answer = self._client.request(
                    method, f"{url}/api/{path}", json=dict(body) if method == "PUT" else None
                )
            except httpx.TransportError:
                continue
            if answer.status_code == _NOT_FOUND and may_be_absent:
                return None
            if not answer.is_success:
                raise BrokerControlError(
                    f"the broker refused to {method} {path.partition('/')[0]}:"
                    f" {answer.status_code} {answer.reason_phrase}"
                )
            return _content(answer)
        raise BrokerControlError("no node of the broker answers by HTTP")


def _content(answer: httpx.Response) -> object:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise BrokerControlError("the broker's answer can't be read") from error


def _permission(device_id: str) -> str:
    return f"permissions/{VHOST}/{quote(device_id, safe='')}"


def _kept_password(user: Mapping[str, object] | None) -> Mapping[str, object]:
    if user is None:
        return _NOBODY_BY_PASSWORD
    return {name: user[name] for name in ("password_hash", "hashing_algorithm") if name in user}


def _rows(answer: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(answer, list):
        raise BrokerControlError("the broker's list of accounts can't be read")
    return [each for each in answer if isinstance(each, dict)]


def _by_user(answer: object) -> Mapping[str, Mapping[str, object]]:
    return {str(each.get("user")): each for each in _rows(answer)}


def _holds(found: Mapping[str, object] | None, wanted: Mapping[str, str]) -> bool:
    return found is not None and all(found.get(name) == value for name, value in wanted.items())
