# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be refused about incidents."""

from uuid import UUID

from central.errors import CentralError


class IncidentNotFoundError(CentralError):
    """No incident has this id, or the caller may not see it."""

    def __init__(self, incident_id: UUID) -> None:
        super().__init__(f"incident {incident_id} not found")
        self.incident_id = incident_id
