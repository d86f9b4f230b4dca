# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gives and takes the broker's accounts of devices, while the broker runs.

The adapter around mosquitto's dynamic security: commands go out as JSON on a control topic, the
broker answers each. A barred device is disconnected at once; it loses its rights as well, since
the plugin lets a client with a certificate connect even when its account is switched off.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from types import TracebackType
from typing import Final, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.devices.broker_rights import (
    CONTROL_ANSWER_TOPIC,
    CONTROL_TOPIC,
    CONTROL_USERNAME,
    DEVICE_ROLE_PREFIX,
    device_rights,
    device_role,
    earlier_device_roles,
)
from central.errors import BrokerControlError

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 10.0
PAGE_MAX: Final = 200
"""Accounts in one answer of the broker; its messages are limited in size."""
PAGES_MAX: Final = 500
CLIENT_ID_BYTES: Final = 8
_QOS: Final = 1
_EXISTS: Final = frozenset({"Client already exists", "Role already exists"})
_ABSENT: Final = frozenset({"Client not found", "Role not found"})

Command = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerControlAccess:
    """How the broker's accounts are reached.

    Attributes:
        secret: Of the control account.
        ca_file: Certificates to trust; ``None`` for a plain link on the same machine.
    """

    host: str
    port: int
    secret: str = field(repr=False)
    username: str = CONTROL_USERNAME
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """A device's account as the broker has it.

    Attributes:
        may_send: Whether it is switched on and has its role.
    """

    device_id: str
    may_send: bool


class BrokerAccounts:
    """A connection that gives and takes accounts; used as a context manager."""

    def __init__(self, access: BrokerControlAccess) -> None:
        self._access = access
        self._answers: Queue[bytes] = Queue(maxsize=1)
        self._ready = Event()
        self._refusal = ""
        self._client = self._new_client()

    def __enter__(self) -> Self:
        where = f"{self._access.host}:{self._access.port}"
        try:
            self._client.connect(self._access.host, self._access.port)
        except (OSError, ValueError) as error:
            raise BrokerControlError(f"the broker at {where} can't be reached") from error
        self._client.loop_start()
        if not self._ready.wait(CONNECT_TIMEOUT_S) or self._refusal:
            self._close()
            raise BrokerControlError(f"the broker at {where}: {self._refusal or 'no answer'}")
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def let_in(self, device_id: str, *, secret: str | None) -> None:
        """Give a device its account and rights; one that is there is put right.

        Args:
            device_id: Its user name.
            secret: Its new password, which ends a connection with the old one; ``None`` keeps the
                password, and leaves a new account with none: it comes by certificate then.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        role = device_role(device_id)
        roles = [{"rolename": role}]
        self._ask({"command": "createRole", "rolename": role}, accepted=_EXISTS)
        self._ask({"command": "modifyRole", "rolename": role, "acls": device_rights(device_id)})
        self._ask({"command": "createClient", "username": device_id}, accepted=_EXISTS)
        self._ask({"command": "modifyClient", "username": device_id, "roles": roles})
        for earlier in earlier_device_roles(device_id):
            self._ask({"command": "deleteRole", "rolename": earlier}, accepted=_ABSENT)
        if secret is not None:
            self._ask({"command": "setClientPassword", "username": device_id, "password": secret})
        self._ask({"command": "enableClient", "username": device_id})

    def bar(self, device_id: str) -> None:
        """Take a device's rights and end its connection; unknown devices are barred anyway.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        self._ask({"command": "modifyClient", "username": device_id, "roles": []}, accepted=_ABSENT)
        self._ask({"command": "disableClient", "username": device_id}, accepted=_ABSENT)

    def remove(self, device_id: str) -> None:
        """Forget a device's account and role.

        Raises:
            BrokerControlError: The broker did not do it.
        """
        self._ask({"command": "deleteClient", "username": device_id}, accepted=_ABSENT)
        for role in (device_role(device_id), *earlier_device_roles(device_id)):
            self._ask({"command": "deleteRole", "rolename": role}, accepted=_ABSENT)

    def accounts(self) -> Sequence[BrokerAccount]:
        """Every device's account, in the broker's order.

        Raises:
            BrokerControlError: The broker did not answer.
        """
        found: list[BrokerAccount] = []
        for page in range(PAGES_MAX):
            answer = self._ask(
                {
                    "command": "listClients",
                    "verbose": True,
                    "count": PAGE_MAX,
                    "offset": page * PAGE_MAX,
                }
            )
            clients = _listed(answer)
            found += [account for each in clients if (account := _account(each)) is not None]
            if len(clients) < PAGE_MAX:
                return found
        raise BrokerControlError("the broker has more accounts than can be listed")

    def _ask(self, command: Command, *, accepted: frozenset[str] = frozenset()) -> object:
        """Send one command and return the data of its answer.

        Args:
            command: As the plugin knows it.
            accepted: Refusals that mean that nothing was to be done.
        """
        mark = secrets.token_hex(CLIENT_ID_BYTES)
        body = json.dumps({"commands": [{**command, "correlationData": mark}]})
        with suppress(Empty):
            self._answers.get_nowait()
        sent = self._client.publish(CONTROL_TOPIC, body, qos=_QOS)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerControlError("the connection to the broker was lost")
        answer = self._answer(mark)
        problem = answer.get("error")
        if isinstance(problem, str) and problem not in accepted:
            raise BrokerControlError(f"the broker refused {command['command']}: {problem}")
        return answer.get("data")

    def _answer(self, mark: str) -> Mapping[str, object]:
        """The broker's answer to the command with this mark."""
        try:
            payload = self._answers.get(timeout=ANSWER_TIMEOUT_S)
            answer = json.loads(payload)["responses"][0]
        except Empty as error:
            raise BrokerControlError("the broker did not answer in time") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise BrokerControlError("the broker's answer can't be read") from error
        if not isinstance(answer, dict) or answer.get("correlationData") != mark:
            raise BrokerControlError("the broker answered something else")
        return answer

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"centre-{secrets.token_hex(CLIENT_ID_BYTES)}",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._access.username, self._access.secret)
        client.connect_timeout = CONNECT_TIMEOUT_S
        if self._access.ca_file is not None:
            client.tls_set(ca_certs=str(self._access.ca_file))
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._received
        return client

    def _connected(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refusal = f"it refused the login ({reason})"
            self._ready.set()
            return
        client.subscribe(CONTROL_ANSWER_TOPIC, qos=_QOS)

    def _subscribed(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _message_id: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = "this account may not give accounts"
        self._ready.set()

    def _received(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with suppress(Empty):
            self._answers.get_nowait()  # one that nobody waits for any more
        self._answers.put_nowait(bytes(message.payload))


def _listed(answer: object) -> Sequence[object]:
    """The accounts of a list."""
    clients = answer.get("clients") if isinstance(answer, dict) else None
    if not isinstance(clients, list):
        raise BrokerControlError("the broker's list of accounts can't be read")
    return clients


def _account(client: object) -> BrokerAccount | None:
    """A device's account out of a list; ``None`` for the centre's own ones."""
    if not isinstance(client, dict) or not isinstance(client.get("username"), str):
        return None
    device_id, roles = client["username"], client.get("roles") or []
    names = {each.get("rolename") for each in roles if isinstance(each, dict)}
    is_barred = bool(client.get("disabled"))
    is_ours = any(not str(name).startswith(DEVICE_ROLE_PREFIX) for name in names)
    if is_ours:
        return None
    return BrokerAccount(
        device_id=device_id, may_send=not is_barred and device_role(device_id) in names
    )
