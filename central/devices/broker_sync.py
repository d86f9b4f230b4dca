# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the broker's accounts what the centre has: after an outage, or for a new broker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from central.devices.broker_accounts import BrokerAccount


class DeviceAccounts(Protocol):
    """Devices' accounts at a broker, whichever it is.

    Every method raises ``BrokerControlError`` when the broker did not do it; doing it again does
    no harm.
    """

    def let_in(self, device_id: str, *, secret: str | None) -> None:
        """Give a device its account and rights, and a new password where there is one."""

    def bar(self, device_id: str) -> None:
        """Take a device's rights and end its connection."""

    def remove(self, device_id: str) -> None:
        """Forget a device's account with its rights."""

    def accounts(self) -> Sequence[BrokerAccount]:
        """Every device's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronised:
    """How many accounts were changed."""

    let_in: int
    barred: int
    removed: int


def synchronise(accounts: DeviceAccounts, enabled_by_device: Mapping[str, bool]) -> Synchronised:
    """Give and take what is missing or too much; accounts that are right are left alone.

    Args:
        accounts: The broker.
        enabled_by_device: Every device of the centre, and whether it may send.

    Raises:
        BrokerControlError: The broker did not do all of it; doing it again goes on.
    """
    known = {each.device_id: each.may_send for each in accounts.accounts()}
    wanted = [each for each, may_send in enabled_by_device.items() if may_send]
    unwanted = [each for each, may_send in enabled_by_device.items() if not may_send]
    missing = [each for each in wanted if not known.get(each, False)]
    barred = [each for each in unwanted if known.get(each, False)]
    strangers = [each for each in known if each not in enabled_by_device]
    for device_id in missing:
        accounts.let_in(device_id, secret=None)
    for device_id in barred:
        accounts.bar(device_id)
    for device_id in strangers:
        accounts.remove(device_id)
    return Synchronised(let_in=len(missing), barred=len(barred), removed=len(strangers))
