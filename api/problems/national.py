# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors about figures of provinces."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.national.errors import (
    ProvinceExistsError,
    ProvinceNotFoundError,
    ProvinceNotYoursError,
    SheetInvalidError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        ProvinceNotYoursError: Problem(
            status=404,
            code="province-not-yours",
            title="This key writes figures of another province, or of none",
        ),
        ProvinceNotFoundError: Problem(
            status=404, code="province-not-found", title="No province has this code"
        ),
        ProvinceExistsError: Problem(
            status=409, code="province-exists", title="The province is there already"
        ),
        SheetInvalidError: Problem(
            status=422, code="sheet-invalid", title="These figures can't be right"
        ),
    }
)
