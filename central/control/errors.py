# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be refused in vehicle control.

::

    ControlError
    ├── AlertNotFoundError
    ├── AlertStateError            the alert is in a state that does not allow this
    ├── WatchlistEntryNotFoundError
    └── WatchlistEntryInvalidError a part of an entry is missing or wrong
"""

from uuid import UUID

from central.errors import CentralError


class ControlError(CentralError):
    """Root of the errors of vehicle control."""


class AlertNotFoundError(ControlError):
    """No alert has this id, or the caller may not see it."""

    def __init__(self, alert_id: UUID) -> None:
        super().__init__(f"alert {alert_id} not found")
        self.alert_id = alert_id


class AlertStateError(ControlError):
    """The alert is in a state that does not allow this, such as closed."""

    def __init__(self, alert_id: UUID, *, state: str) -> None:
        super().__init__(f"alert {alert_id} is {state}")
        self.alert_id = alert_id
        self.state = state


class WatchlistEntryNotFoundError(ControlError):
    """No entry of the watchlist has this id, or it was removed before."""

    def __init__(self, entry_id: UUID) -> None:
        super().__init__(f"watchlist entry {entry_id} not found")
        self.entry_id = entry_id


class WatchlistEntryInvalidError(ControlError):
    """A part of an entry is missing or wrong; ``part`` names it, and no value is kept."""

    def __init__(self, part: str) -> None:
        super().__init__(f"watchlist entry: {part} is missing or wrong")
        self.part = part
