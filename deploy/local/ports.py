# SPDX-License-Identifier: AGPL-3.0-or-later
"""Loopback ports for the local stack."""

import socket
from typing import Final

from deploy.errors import PortInUseError

LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    """A loopback port on which nobody listens at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a loopback port can be bound now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, setting: str) -> None:
    """See that a port that a person chose can be had.

    Raises:
        PortInUseError: Somebody listens there.
    """
    if not is_free(port):
        raise PortInUseError(port, setting=setting)


def has_listener(port: int, *, timeout_s: float) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s):
            return True
    except OSError:
        return False
