# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of incidents."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.incidents.errors import IncidentNotFoundError

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        IncidentNotFoundError: Problem(
            status=404, code="incident-not-found", title="No incident has this id"
        ),
    }
)
