# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every expected error of the centre; one that is missing here is a bug and becomes a 500."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems import (
    completeness,
    control,
    core,
    incidents,
    ledger,
    machines,
    national,
    people,
    procedures,
    protection,
    registry,
    toll_days,
    tolling,
    webhooks,
)
from api.problems.problem import Problem
from central.errors import CentralError

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        kind: problem
        for part in (
            completeness,
            control,
            core,
            incidents,
            ledger,
            machines,
            national,
            protection,
            people,
            procedures,
            registry,
            toll_days,
            tolling,
            webhooks,
        )
        for kind, problem in part.PROBLEMS.items()
    }
)
