# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong up --foreground``: the supervisor in the terminal's own process."""

from rich.console import Console

from deploy.local.administrators import make_first_administrator
from deploy.local.clock import utc_now
from deploy.local.commands.screens import show_ready
from deploy.local.stack import LocalStack
from deploy.local.state import StackState
from deploy.local.supervision.planning import plan
from deploy.local.supervision.supervisor import supervise


def run_in_foreground(console: Console, stack: LocalStack, *, api_port: int | None) -> None:
    """Run the stack until Ctrl-C or SIGTERM.

    Raises:
        DeployError: A part could not be started, or the stack runs already.
    """

    def announce(state: StackState) -> None:
        show_ready(console, state, make_first_administrator(state, now=utc_now()))
        console.print("Press Ctrl-C to stop.")

    supervise(stack.layout, plan(stack.layout, api_port=api_port), on_ready=announce)
    console.print("Stopped. The data stays.")
