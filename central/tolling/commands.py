# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about tolls, the same at the server and in a local stack."""

from collections.abc import Callable

import typer

from central.tolling.day.commands import add_day_commands
from central.tolling.setup.commands import add_setup_commands


def toll_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``toll``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Toll stations, charges and days.")
    add_setup_commands(app, connect_with)
    add_day_commands(app, connect_with)
    return app
