# SPDX-License-Identifier: AGPL-3.0-or-later
"""Chooses the ports of a start: those of the last time where they are still free.

Devices and bookmarks keep the broker's and the page's address, so a port changes only when
another program has taken it.
"""

import os
from typing import Final

from deploy.local.layout import StackLayout
from deploy.local.ports import free_port, is_free, require_free
from deploy.local.state import StackPhase, StackState, read_state

PORT_OPTION: Final = "--port"
# How long all parts of one start may take together until each does its work.
READY_TIMEOUT_S: Final = 90.0


def plan(layout: StackLayout, *, api_port: int | None) -> StackState:
    """The state a supervisor starts from.

    Args:
        layout: Where the stack lies.
        api_port: Port that a person asked for; ``None`` for the last one or any free one.

    Raises:
        PortInUseError: The port asked for is taken.
    """
    if api_port is not None:
        require_free(api_port, setting=PORT_OPTION)
    last = read_state(layout.state_file)
    taken: set[int] = set()
    return StackState(
        phase=StackPhase.STARTING,
        supervisor_pid=os.getpid(),
        postgres_port=_choose(last.postgres_port if last else None, taken),
        broker_port=_choose(last.broker_port if last else None, taken),
        api_port=api_port or _choose(last.api_port if last else None, taken),
        metrics_port=_choose(last.metrics_port if last else None, taken),
        socket_folder=layout.socket_folder,
        evidence_folder=layout.evidence,
    )


def _choose(last: int | None, taken: set[int]) -> int:
    """The last port if it is free, else another; never the same port twice."""
    port = last if last is not None and is_free(last) else free_port()
    while port in taken:
        port = free_port()
    taken.add(port)
    return port
